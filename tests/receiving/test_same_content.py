"""Equal data sets are equal in every lossless encoding; one changed value makes them differ."""

import copy
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from network.data_sets.element_values import character_set_of
from tests.receiving.any_data_sets import OFTEN, REWRITES, data_sets
from tests.support.dicom.rewritten import (
    BIG_ENDIAN,
    DEFLATED,
    same,
    with_nul_padding,
    write,
)
from tests.support.peers import EXPLICIT, IMPLICIT

SYNTAXES = (EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@given(data_set=data_sets(), first=st.sampled_from(SYNTAXES), second=st.sampled_from(SYNTAXES),
       rewrite=st.sampled_from(REWRITES))  # fmt: skip
@OFTEN
def test_equal_data_sets_are_equal_in_every_encoding(
    folder: Path, data_set: Dataset, first: str, second: str, rewrite: Callable[[Dataset], Dataset]
) -> None:
    one = write(folder / "one.dcm", data_set, first)
    two = write(folder / "two.dcm", rewrite(data_set), second)
    assert same(one, two)
    assert same(two, one)


def every_element(data_set: Dataset) -> list[tuple[Dataset, pydicom.DataElement]]:
    found: list[tuple[Dataset, pydicom.DataElement]] = []
    for element in data_set:
        if element.VR == "SQ":
            found.extend(pair for item in element.value for pair in every_element(item))
        if not element.tag.is_private_creator:
            found.append((data_set, element))
    return found


CHANGES: dict[str, Callable[[Any], Any]] = {
    "SQ": lambda value: [*value, Dataset()],
    "CS": lambda value: ["AXIAL", *([value] if isinstance(value, str) else value or [])],
    "UI": lambda value: f"{value}1",
    "FL": lambda value: [1.5, *np.atleast_1d([] if value in (None, "") else value).tolist()],
    "FD": lambda value: -value if value else 1.0,
    "AT": lambda value: value + 1,
    **dict.fromkeys(("LO", "LT", "PN"), lambda value: f"{value}X"),
    **dict.fromkeys(
        ("OB", "OW", "OF"),
        lambda value: bytes([value[0] ^ 1]) + value[1:] if value else b"\1\0\0\0",
    ),
    **dict.fromkeys(("IS", "US", "SS", "SV"), lambda value: value - 1 if value > 0 else value + 1),
}
"""The least that can be changed of a value, by VR."""


@given(data_set=data_sets(), first=st.sampled_from(SYNTAXES), second=st.sampled_from(SYNTAXES),
       rewrite=st.sampled_from(REWRITES), data=st.data())  # fmt: skip
@OFTEN
def test_one_change_makes_them_differ_in_every_encoding(
    folder: Path,
    data_set: Dataset,
    first: str,
    second: str,
    rewrite: Callable[[Dataset], Dataset],
    data: st.DataObject,
) -> None:
    changed = copy.deepcopy(data_set)
    places = every_element(changed)
    element = places[data.draw(st.integers(0, len(places) - 1))][1]
    element.value = CHANGES[element.VR](element.value)
    one = write(folder / "one.dcm", data_set, first)
    two = write(folder / "two.dcm", rewrite(changed), second)
    assert not same(one, two)
    assert not same(two, one)


@given(data_set=data_sets(), syntax=st.sampled_from(SYNTAXES), data=st.data())
@OFTEN
def test_a_missing_element_is_a_difference(
    folder: Path, data_set: Dataset, syntax: str, data: st.DataObject
) -> None:
    changed = copy.deepcopy(data_set)
    holder, element = data.draw(st.sampled_from(every_element(changed)))
    del holder[element.tag]
    one = write(folder / "one.dcm", data_set)
    two = write(folder / "two.dcm", changed, syntax)
    assert not same(one, two)


@pytest.mark.parametrize("first", SYNTAXES)
@pytest.mark.parametrize("second", SYNTAXES)
def test_an_empty_item_is_content_and_an_empty_sequence_has_none(
    folder: Path, first: str, second: str
) -> None:
    empty, filled = Dataset(), Dataset()
    empty.ReferencedImageSequence, filled.ReferencedImageSequence = [], [Dataset()]
    filled["ReferencedImageSequence"].is_undefined_length = True
    one = write(folder / "one.dcm", empty, first)
    assert not same(one, write(folder / "two.dcm", filled, second))
    assert same(one, write(folder / "three.dcm", empty, second))


def described(text: str, character_set: str | list[str] | None) -> Dataset:
    data_set = Dataset()
    if character_set is not None:
        data_set.SpecificCharacterSet = character_set
    item = Dataset()
    item.CodeMeaning = data_set.SeriesDescription = text
    data_set.ProcedureCodeSequence = [item]
    return data_set


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("SERIES", None, "ISO_IR 6"),
        ("SERIES", None, "ISO_IR 192"),
        ("GRÖSSE", "ISO_IR 100", "ISO_IR 192"),
        ("ΑΩ", "ISO_IR 126", ["", "ISO 2022 IR 126"]),
        ("山田", ["", "ISO 2022 IR 87"], "ISO_IR 192"),
        ("王", "GB18030", "ISO_IR 192"),
    ],
)
def test_a_text_is_the_same_in_another_character_set(
    folder: Path, text: str, one: str | None, other: str
) -> None:
    first = write(folder / "one.dcm", described(text, one))
    assert same(first, write(folder / "two.dcm", described(text, other), IMPLICIT))
    assert not same(first, write(folder / "two.dcm", described(text + "Ä", "ISO_IR 192")))


def test_bytes_beyond_the_declared_characters_are_no_text_that_is_known(folder: Path) -> None:
    latin = described("GRÖSSE", "ISO_IR 100")
    declared = write(folder / "one.dcm", latin)
    content = declared.read_bytes()
    undeclared = folder / "two.dcm"
    undeclared.write_bytes(content.replace(b"ISO_IR 100", b"ISO_IR 6  "))
    assert not same(declared, undeclared)
    assert same(undeclared, undeclared)


def test_character_sets_are_known_however_they_are_spelled() -> None:
    spelled = ("ISO_IR 100", "ISO IR 100", "ISO-IR 100", "ISO_IR_100 ")
    assert len({character_set_of([one]) for one in spelled}) == 1
    assert character_set_of([]) == character_set_of(["ISO_IR 6"])
    assert character_set_of(["KLINGON"]) != character_set_of(["VULCAN"])


def test_padding_is_no_content_and_other_spaces_are(folder: Path) -> None:
    data_set = described("ODD", "ISO_IR 100")
    data_set.PatientComments = "in  between"
    one = write(folder / "one.dcm", data_set)
    padded = folder / "two.dcm"
    padded.write_bytes(with_nul_padding(one.read_bytes()))
    assert padded.read_bytes() != one.read_bytes()
    assert same(one, padded)
    data_set.PatientComments = "in between"
    assert not same(one, write(padded, data_set))


def test_file_meta_is_no_content(folder: Path) -> None:
    one = write(folder / "one.dcm", described("ODD", None))
    other = pydicom.dcmread(one)
    other.file_meta.SourceApplicationEntityTitle = "ROUTER"
    other.file_meta.ImplementationVersionName = "ROUTER_1"
    other.save_as(folder / "two.dcm")
    assert same(one, folder / "two.dcm")


def test_what_cannot_be_read_is_no_known_content(folder: Path) -> None:
    one = write(folder / "one.dcm", described("ODD", None))
    (folder / "two.dcm").write_bytes(one.read_bytes()[:150])
    assert not same(one, folder / "two.dcm")
