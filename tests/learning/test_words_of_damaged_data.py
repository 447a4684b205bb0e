"""What is wrong with a data set or an array is said in our own words, none of a library."""

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.errors import LearningDataError
from model.data.array_folder import read_arrays
from model.data.data_set_file import FORMAT, open_data_set

Write = Callable[[Path], None]
OF_LIBRARIES = re.compile(
    r"[a-z]Error\b|pickle|synchronously|h5py|numpy|np\.|object|file signature|reshape|magic"
)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("a text of somebody " * 50)


def _without_tables(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["format"] = FORMAT


def _with_other_tables(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["structures"] = "QUETZAL^KANARI"


@pytest.mark.parametrize("write", [_empty, _text, _without_tables, _with_other_tables])
def test_a_file_that_is_no_data_set_is_told_in_own_words(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    write(path)
    with pytest.raises(
        LearningDataError, match=r"expected the tables of docs/data_sets\.md"
    ) as told:
        open_data_set(path)
    assert not OF_LIBRARIES.search(str(told.value))
    assert "QUETZAL" not in str(told.value)


def test_a_data_set_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(LearningDataError, match="No such file"):
        open_data_set(tmp_path / "data.h5")


@pytest.mark.parametrize(
    "content", [b"", b"QUETZAL^KANARI" * 9, b"\x93NUMPY\x01\x00\x10\x00{'a': 1"]
)
def test_a_file_that_is_no_array_is_told_in_own_words(content: bytes, tmp_path: Path) -> None:
    for kind in ("img", "mask"):
        (tmp_path / kind).mkdir()
        np.save(tmp_path / kind / "1.npy", np.zeros((1, 4, 5)))
    (tmp_path / "img" / "1.npy").write_bytes(content)
    with pytest.raises(LearningDataError, match=r"expected a \.npy file of numbers") as told:
        read_arrays(tmp_path, "1")
    assert not OF_LIBRARIES.search(str(told.value))
    assert "QUETZAL" not in str(told.value)
