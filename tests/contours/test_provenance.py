"""Instances written by this program are recognised, even after other systems changed them."""

from datetime import datetime
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from core.identity import Provenance
from imaging.derived.provenance import contributing_equipment, is_made_here

PROVENANCE = Provenance("job", "1.2.3.", datetime(2026, 3, 9, 14, 5, 6), "3D Gaussian blur")


def foreign(manufacturer: str) -> Dataset:
    item = Dataset()
    item.Manufacturer = manufacturer
    return item


def marked(*before: Dataset) -> Dataset:
    data_set = foreign("Scanner Works")
    data_set.ContributingEquipmentSequence = [*before, contributing_equipment(PROVENANCE)]
    return data_set


def test_mark_says_who_what_and_when() -> None:
    item = contributing_equipment(PROVENANCE)
    assert item.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
    assert item.ContributionDateTime == "20260309140506"
    assert item.ContributionDescription == "3D Gaussian blur"


def test_mark_is_found_among_items_of_other_systems() -> None:
    data_set = marked(foreign("Gateway"), foreign(""))
    data_set.ContributingEquipmentSequence.append(foreign("Archive"))
    assert is_made_here(data_set)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_mark_survives_writing_and_reading_in_any_syntax(syntax: str) -> None:
    buffer = BytesIO()
    implicit = syntax == ImplicitVRLittleEndian
    pydicom.dcmwrite(buffer, marked(), implicit_vr=implicit, little_endian=True)
    buffer.seek(0)
    assert is_made_here(pydicom.dcmread(buffer, force=True))


def test_manufacturer_at_the_top_is_enough() -> None:
    assert is_made_here(foreign("SLICEWIRE "))


def test_what_others_made_is_not_ours() -> None:
    data_set = foreign("Scanner Works")
    assert not is_made_here(data_set)
    data_set.ContributingEquipmentSequence = [foreign("Slicewire-like Gateway")]
    assert not is_made_here(data_set)
    assert not is_made_here(Dataset())
