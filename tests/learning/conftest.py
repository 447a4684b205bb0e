"""Small data sets of blobs, in arrays and in HDF5."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from model.data.data_set_writer import merge
from tests.learning.blobs import drawn, part


@pytest.fixture(scope="session")
def shared_data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients of six instances each, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("data")
    parts = [part(folder / f"{key}.part", key, seed=at) for at, key in enumerate("abc")]
    merge(folder / "data.h5", parts)
    return folder / "data.h5"


@pytest.fixture
def data_set(shared_data_set: Path, tmp_path: Path) -> Path:
    """Three patients of six instances each."""
    return Path(shutil.copy(shared_data_set, tmp_path))


@pytest.fixture
def array_folder(tmp_path: Path) -> Path:
    """Two patients of three pairs each."""
    folder = tmp_path / "arrays"
    for patient in ("p1", "p2"):
        for number in (2, 10, 1):
            one = drawn(number, seed=int(patient[1]))
            for kind, values in (("img", one.image[None]), ("mask", one.masks[:1])):
                (folder / patient / kind).mkdir(parents=True, exist_ok=True)
                np.save(folder / patient / kind / f"{number}.npy", values)
    return folder
