"""A contour that makes no mask says nothing of its image, least of all that nothing is there."""

import copy
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from model.data.data_set_file import open_data_set
from tests.learning.drawn_cases import Change, case
from tests.learning.reports import findings, prepared


def _open_without_reference(data_set: Dataset) -> None:
    data_set.ROIContourSequence[0].ContourSequence[8].ContourGeometricType = "OPEN_PLANAR"


def _empty_on_the_tenth_image(data_set: Dataset) -> None:
    """A contour without points on an image that is there; its UID is filled in afterwards."""
    contours = data_set.ROIContourSequence[0].ContourSequence
    contours.append(copy.deepcopy(contours[8]))
    contours[-1].ContourData = []


@pytest.mark.parametrize("change", [_open_without_reference, _empty_on_the_tenth_image])
def test_an_image_with_a_contour_that_is_not_filled_is_not_known_to_be_empty(
    tmp_path: Path, change: Change
) -> None:
    case(tmp_path / "in" / "whole", "1")
    path = case(tmp_path / "in" / "open", "2", change=change)
    data_set = pydicom.dcmread(path)
    images = [pydicom.dcmread(one) for one in sorted((path.parents[1] / "images").glob("*.dcm"))]
    contours = data_set.ROIContourSequence[0].ContourSequence
    [on] = [one for one in images if _distance_mm(one, contours[8]) < 0.1]
    contours[-1].ContourImageSequence[0].ReferencedSOPInstanceUID = on.SOPInstanceUID
    data_set.save_as(path)
    report = prepared(tmp_path / "in", tmp_path / "data.h5", "--no-pictures")
    source = open_data_set(tmp_path / "data.h5")
    whole, opened = (
        {int(one.key.rpartition("-")[2]) for one in source.samples({patient})}
        for patient in ("whole", "open")
    )
    assert whole - opened == {int(on.InstanceNumber)}
    assert any("is unknown on 1 image(s)" in one for one in findings(report)["unusual contours"])


def _distance_mm(image: Dataset, contour: Dataset) -> float:
    return abs(float(image.ImagePositionPatient[2]) - float(contour.ContourData[2]))
