"""A page among the images of a case is left out of a data set, and named."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from model.data.data_set_file import open_data_set
from tests.learning.drawn_cases import case
from tests.learning.reports import findings, prepared


@pytest.mark.parametrize("has_a_place", [True, False])
def test_a_screen_capture_is_left_out_and_named(tmp_path: Path, has_a_place: bool) -> None:
    case(tmp_path / "in" / "one", "1")
    images = sorted((tmp_path / "in" / "one" / "images").glob("*.dcm"))
    page = pydicom.dcmread(images[12])
    page.SOPInstanceUID = page.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    page.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    for keyword in () if has_a_place else ("ImagePositionPatient", "ImageOrientationPatient"):
        del page[keyword]
    page.save_as(images[0].with_name("page.dcm"))
    report = prepared(tmp_path / "in", tmp_path / "data.h5", "--no-pictures")
    assert len(open_data_set(tmp_path / "data.h5").samples()) == 24
    [words] = findings(report)["images that are no slices of their series"]
    assert "1 of 25 images set aside, no plane: a screen capture (ImageType)" in words
