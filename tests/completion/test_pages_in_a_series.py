"""A page among slices does not hold up the series; nothing but pages waits for a person."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID

from tests.support.completion import Completion, Start
from tests.support.peers import Change, write_series

SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")
PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")


def without_a_place(data_set: pydicom.FileDataset) -> None:
    data_set.InstanceNumber = 99
    for keyword in PLACE:
        del data_set[keyword]


def screen_save(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 10:
        without_a_place(data_set)
        data_set.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
        data_set.FrameOfReferenceUID = "1.2.3.4"


def secondary_capture(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 10:
        without_a_place(data_set)
        data_set.Modality = "OT"
        data_set.SOPClassUID = SECONDARY_CAPTURE
        data_set.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE


def orientation_of_zeros(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 10:
        data_set.InstanceNumber = 99
        data_set.ImageOrientationPatient = [0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("change", [screen_save, secondary_capture, orientation_of_zeros])
@pytest.mark.parametrize("pipeline", ["unet", "blur"])
def test_a_page_among_the_slices_does_not_hold_up_the_series(
    start: Start, ct_paths: list[Path], tmp_path: Path, change: Change, pipeline: str
) -> None:
    completion = start(pipeline=None, rules=[{"tags": {"Modality": "CT"}, "pipeline": pipeline}])
    paths = write_series([*ct_paths, ct_paths[4]], tmp_path / "sent", change)
    completion.send(paths)
    completion.settle()
    assert completion.series(paths).state == "processing"


def test_nothing_but_pages_is_held_by_what_they_are(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    def is_mosaic(data_set: pydicom.FileDataset, _: int) -> None:
        data_set.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]

    paths = write_series(ct_paths, tmp_path / "sent", is_mosaic)
    completion.send(paths)
    completion.settle()
    row = completion.series(paths)
    assert row.state == "held"
    assert "10 x a mosaic of slices (ImageType)" in row.reason
    assert completion.jobs(paths) == []
