"""Equal data sets are equal in every lossless encoding; one changed value makes them differ."""

import copy
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from network.data_sets.element_values import character_set_of
from tests.receiving.rewritten import (
    BIG_ENDIAN,
    DEFLATED,
    same,
    with_group_lengths,
    with_lengths,
    with_nul_padding,
    with_private_as_un,
    write,
)
from tests.support.peers import EXPLICIT, IMPLICIT

CREATOR = "SLICEWIRE TEST"
PRIVATE_FIRST, PRIVATE_LAST = 0x10, 0x14

TEXTS = st.text(st.characters(codec="ascii", categories=("Lu", "Nd", "Zs")), max_size=9)
VALUES: dict[int, tuple[str, st.SearchStrategy[object]]] = {
    0x0008103E: ("LO", TEXTS),
    0x00100010: ("PN", TEXTS),
    0x00104000: ("LT", TEXTS),
    0x00080008: ("CS", st.lists(st.sampled_from(["ORIGINAL", "PRIMARY", "M"]), max_size=3)),
    0x00080018: ("UI", st.sampled_from(["1.2.3", "1.2.34"])),
    0x00200013: ("IS", st.integers(-9999, 9999)),
    0x00280010: ("US", st.integers(0, 65535)),
    0x00280106: ("SS", st.integers(-32768, 32767)),
    0x00189217: ("FD", st.floats(allow_nan=False)),
    0x00720072: ("FL", st.lists(st.floats(width=32, allow_nan=False), max_size=3)),
    0x00720082: ("SV", st.integers(-(2**63), 2**63 - 1)),
    0x00280009: ("AT", st.just(0x00181063)),
    0x00283006: ("OW", st.binary(max_size=10).map(lambda value: value * 2)),
    0x00420011: ("OB", st.binary(max_size=10).map(lambda value: value * 2)),
    0x00720067: ("OF", st.binary(max_size=10).map(lambda value: value * 4)),
}
PRIVATE: list[tuple[str, st.SearchStrategy[object]]] = [
    ("LO", TEXTS),
    ("US", st.integers(0, 65535)),
    ("OB", st.binary(max_size=10).map(lambda value: value * 2)),
]


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 2) -> Dataset:
    """Elements of all kinds, private ones and sequences within sequences."""
    data_set = Dataset()
    for tag in draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6)):
        vr, values = VALUES[tag]
        data_set.add_new(tag, vr, draw(values))
    block = data_set.private_block(0x0019, CREATOR, create=True)
    for offset, (vr, values) in enumerate(PRIVATE):
        if draw(st.booleans()):
            block.add_new(PRIVATE_FIRST + offset, vr, draw(values))
    if depth:
        items = st.lists(data_sets(depth - 1), max_size=2)
        data_set.add_new(0x00081140, "SQ", draw(items))
        block.add_new(PRIVATE_LAST, "SQ", draw(items))
    return data_set


SYNTAXES = (EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED)
REWRITES: list[Callable[[Dataset], Dataset]] = [
    lambda one: one,
    lambda one: with_lengths(one, sequences=True, items=True),
    lambda one: with_lengths(one, sequences=True, items=False),
    lambda one: with_lengths(one, sequences=False, items=True),
    lambda one: with_lengths(one, sequences=False, items=False),
    with_group_lengths,
    with_private_as_un,
    lambda one: with_private_as_un(with_lengths(one, sequences=False, items=False)),
]
OFTEN = settings(
    max_examples=int(os.environ.get("SLICEWIRE_TEST_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


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
