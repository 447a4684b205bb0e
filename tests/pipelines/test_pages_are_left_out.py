"""What is no plane of the patient gets no result, and reports say that it was set aside."""

import json
from pathlib import Path

import pydicom
import pytest

from core.errors import GeometryError
from pipeline.conversion import dicom_to_hdf5
from pipeline.entry import run_job
from tests.support.jobs import request_for
from tests.support.peers import write_series


def screen_save(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 6:
        data_set.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            del data_set[keyword]


@pytest.fixture
def paths(ct_folder: Path, tmp_path: Path) -> list[Path]:
    """Six slices of a CT and a screen capture."""
    slices = sorted(ct_folder.glob("*.dcm"))[:6]
    return write_series([*slices, slices[0]], tmp_path / "sent", screen_save)


def test_a_screen_capture_is_not_blurred_and_the_report_says_so(
    paths: list[Path], tmp_path: Path
) -> None:
    request = request_for(paths, tmp_path, "blur", {"sigma_mm": 2.0})
    result = run_job(request, lambda *_: None, {})
    words = "1 of 7 images set aside, no plane: a screen capture (ImageType)"
    assert len(result.instances) == 6
    assert any(words in warning for warning in result.warnings)
    report = json.loads(Path(request.output_dir, "report.json").read_text())
    assert any(words in warning for warning in report["result"]["warnings"])


def test_an_hdf5_file_holds_the_slices_and_a_warning(paths: list[Path]) -> None:
    converted = dicom_to_hdf5([pydicom.dcmread(path) for path in paths])
    assert len(converted.summary["instances"]) == 6
    assert any("a screen capture" in warning for warning in converted.summary["warnings"])


def test_mosaics_are_never_blurred(ct_folder: Path, tmp_path: Path) -> None:
    def is_mosaic(data_set: pydicom.FileDataset, _: int) -> None:
        data_set.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]

    mosaics = write_series(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path / "sent", is_mosaic)
    with pytest.raises(GeometryError, match="3 x a mosaic of slices"):
        run_job(request_for(mosaics, tmp_path, "blur", {"sigma_mm": 2.0}), lambda *_: None, {})
