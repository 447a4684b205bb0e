"""Descriptions tell results of several series and times apart, within 64 characters (LO)."""

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from core.identity import Provenance
from imaging.derived.descriptions import describe_result, source_description, spelled


def source(description: object, character_set: object = None) -> Dataset:
    data_set = Dataset()
    if description is not None:
        data_set.SeriesDescription = description
    if character_set is not None:
        data_set.SpecificCharacterSet = character_set
    return data_set


def test_source_and_time_are_told(provenance: Provenance) -> None:
    words = describe_result("Blurred 3 mm", "CT Thorax", provenance)
    assert words == "Blurred 3 mm of CT Thorax, 2024-05-06 07:08"


def test_a_source_without_a_description_leaves_the_time(provenance: Provenance) -> None:
    assert describe_result("Blurred 3 mm", "", provenance) == "Blurred 3 mm, 2024-05-06 07:08"


@pytest.mark.parametrize("longest", [51, 64])
@pytest.mark.parametrize("length", [*range(0, 70, 3), 200])
@pytest.mark.parametrize("revision", [1, 12])
@pytest.mark.parametrize("released", [{}, {"gap": "gap of 6 mm"}])
def test_it_never_exceeds_its_room_and_keeps_what_matters(
    provenance: Provenance, longest: int, length: int, revision: int, released: dict[str, str]
) -> None:
    made = replace(provenance, revision=revision, released=released)
    text = "".join(chr(ord("a") + number % 26) for number in range(length))
    words = describe_result("Blurred 3 mm", text, made, more="phase 2", longest=longest)
    assert len(words) <= longest
    assert "Blurred" in words
    assert words.endswith("phase 2, revision 12" if revision > 1 else "phase 2")
    assert words.startswith("released with a gap: ") == bool(released)


def test_long_descriptions_that_differ_at_their_ends_stay_apart(provenance: Provenance) -> None:
    series = [f"Thorax with contrast medium, venous phase 3.0 {kernel}" for kernel in "AB"]
    first, second = (describe_result("Blurred 3 mm", one, provenance) for one in series)
    assert first != second
    assert first == "Blurred 3 mm of Thorax with contrast m..phase 3.0 A, 05-06 07:08"


def test_a_long_name_of_what_was_made_keeps_the_revision(provenance: Provenance) -> None:
    words = describe_result("x" * 80, "CT", replace(provenance, revision=2))
    assert (len(words), words[-12:]) == (64, ", revision 2")


@pytest.mark.parametrize(
    ("text", "character_set", "expected"),
    [
        ("Schädel", "ISO_IR 100", "Schädel"),
        ("Schädel", "ISO_IR 192", "Schädel"),
        ("Schädel", None, "Schadel"),
        ("Schädel", "ISO_IR 6", "Schadel"),
        ("Schädel", "ISO_IR 144", "Schadel"),
        ("Череп", "ISO_IR 144", "Череп"),
        ("Череп", "ISO_IR 100", "Cherep"),
        ("頭部 CT", ["", "ISO 2022 IR 87"], "頭部 CT"),
        ("头部", "GB18030", "头部"),
        ("Schädel", "NO SUCH SET", "Schadel"),
        ("two\\parts\r\n and\tmore ", "ISO_IR 100", "two/parts and more"),
        (None, "ISO_IR 100", ""),
    ],
)
def test_letters_that_the_character_set_lacks_are_spelled(
    text: str | None, character_set: object, expected: str
) -> None:
    assert spelled(expected, source(None, character_set)) == expected
    data_set = source(None, character_set)
    if text is not None:
        data_set.add_new("SeriesDescription", "LO", text)
    assert source_description(data_set) == expected
