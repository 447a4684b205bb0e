"""The JSON has what a person asks for first, in named fields."""

import json
from typing import Any

import pytest
from pydicom.dataset import FileDataset

from pipeline.conversion import dicom_to_hdf5
from tests.support.dicom.synthetic import make_series, ramp


@pytest.fixture
def summary(ct: list[FileDataset]) -> dict[str, Any]:
    return dicom_to_hdf5(ct).summary


def test_patient_and_study_are_named(summary: dict[str, Any], ct: list[FileDataset]) -> None:
    assert summary["patient"] == {
        "name": "STS_003", "id": "STS_003", "birth_date": None, "sex": "F"
    }  # fmt: skip
    assert summary["study"]["instance_uid"] == ct[0].StudyInstanceUID
    assert summary["study"]["date"] == "20050415"
    assert summary["study"]["accession_number"] == "1168055087331776"
    assert summary["series"]["instance_uid"] == ct[0].SeriesInstanceUID
    assert summary["series"]["description"] == "IBSI_1_STS_003_CT_image"
    assert summary["series"]["number"] == 3
    assert summary["modality"] == "CT"


def test_spacing_and_orientation_are_in_millimetres(summary: dict[str, Any]) -> None:
    assert summary["spacing"]["slices_mm"] == pytest.approx(3.27)
    assert summary["spacing"]["rows_mm"] == summary["spacing"]["columns_mm"] == 0.976562
    assert summary["spacing"]["is_regular_grid"] is True
    assert summary["orientation"]["row_direction"] == [1, 0, 0]
    assert summary["orientation"]["column_direction"] == [0, 1, 0]
    assert summary["orientation"]["first_position_mm"][2] == -849.32
    assert summary["orientation"]["last_position_mm"][2] == pytest.approx(-685.82)


def test_rescale_and_pixels_are_those_of_the_instances(summary: dict[str, Any]) -> None:
    assert summary["rescale"] == {"slope": 1.0, "intercept": 0.0, "type": None, "units": "HU"}
    pixels = summary["pixels"]
    assert (pixels["slices"], pixels["rows"], pixels["columns"]) == (51, 158, 154)
    assert (pixels["bits_stored"], pixels["is_signed"]) == (16, True)
    assert len(summary["instances"]) == 51


def test_what_differs_between_slices_is_left_to_them() -> None:
    sources = make_series(ramp("<u2", 16), bits_stored=16)
    for number, one in enumerate(sources):
        one.RescaleSlope = number + 1
    summary = dicom_to_hdf5(sources).summary
    assert summary["rescale"]["slope"] is None
    assert [one["rescale_slope"] for one in summary["instances"]] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("change", "units"),
    [
        ({}, "HU"),
        ({"RescaleType": "HU"}, "HU"),
        ({"RescaleType": "US"}, "rescaled"),
        ({"Modality": "MR"}, "rescaled"),
        ({"Modality": "PT", "Units": "BQML"}, "BQML"),
    ],
)
def test_units_are_what_the_instances_state(change: dict[str, str], units: str) -> None:
    sources = make_series(ramp("<u2", 16), bits_stored=16, **change)
    assert dicom_to_hdf5(sources).summary["rescale"]["units"] == units


def test_names_in_other_alphabets_stay_readable() -> None:
    name = "Müller^Zoë"
    sources = make_series(
        ramp("<u2", 16), bits_stored=16, SpecificCharacterSet="ISO_IR 192", PatientName=name
    )
    text = json.dumps(dicom_to_hdf5(sources).summary, ensure_ascii=False, allow_nan=False)
    assert json.loads(text)["patient"]["name"] == name


def test_what_is_not_stated_is_null() -> None:
    sources = make_series(ramp("<u2", 16), bits_stored=16)
    for one in sources:
        del one.PatientName, one.SliceThickness
    summary = dicom_to_hdf5(sources).summary
    assert summary["patient"]["name"] is None
    assert summary["spacing"]["slice_thickness_mm"] is None


def test_the_hdf5_names_nobody() -> None:
    content = dicom_to_hdf5(make_series(ramp("<u2", 16), bits_stored=16)).hdf5
    assert b"Nobody" not in content
    assert b"0815" not in content
