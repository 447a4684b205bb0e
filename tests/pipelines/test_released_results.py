"""What a person passed over is told by the results: description, report and warnings."""

import json
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from core.errors import GeometryError
from core.job import JobRequest
from pipeline.entry import run_job
from tests.support.checkpoints import one_view_checkpoint
from tests.support.jobs import request_for

CUT_OFF = {"cut off": "3 of 3 instances were received only over an aborted association"}


def last_result(request: JobRequest) -> tuple[pydicom.FileDataset, list[str]]:
    """The instance that is sent last, and the warnings in report.json."""
    result = run_job(request, lambda *_: None, {})
    report = json.loads(Path(request.output_dir, "report.json").read_text())
    assert report["released"] == request.released
    path = Path(request.output_dir, result.instances[-1].path)
    return pydicom.dcmread(path), report["result"]["warnings"]


def test_a_structure_set_of_a_series_with_a_gap_says_so_first(
    cine_folder: Path, tmp_path: Path
) -> None:
    paths = [cine_folder / f"{number}.dcm" for number in (89, 109, 129, 169)]
    values = {"checkpoint_path": one_view_checkpoint(), "segmentation": True}
    plain = request_for(paths, tmp_path, "unet", values)
    with pytest.raises(GeometryError, match="gap of") as caught:
        run_job(plain, lambda *_: None, {})
    words = str(caught.value)
    data_set, warnings = last_result(replace(plain, released={"gap": words}))
    assert data_set.SeriesDescription.startswith("released with a gap: AI contours, unapproved")
    assert data_set.StructureSetDescription.startswith("released with a gap: AI contours")
    assert f"Released by a person: {words}" in data_set.StructureSetDescription
    assert [one for one in warnings if words in one] == [f"Released by a person: {words}"]
    segmentation = pydicom.dcmread(next(Path(plain.output_dir, "dicom").glob("*.dcm")))
    assert segmentation.SeriesDescription.startswith("released with a gap: ")


def test_a_blur_of_a_series_that_was_cut_off_says_so_first(ct_folder: Path, tmp_path: Path) -> None:
    plain = request_for(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path, "blur", {"sigma_mm": 3.0})
    data_set, warnings = last_result(replace(plain, released=CUT_OFF))
    expected = "released with a part cut off: Blurred 3 mm NOT FOR DOSE"
    assert data_set.SeriesDescription == expected
    assert len(expected) <= 64
    assert data_set.DerivationDescription.startswith("Released by a person: 3 of 3 instances")
    assert warnings == [f"Released by a person: {CUT_OFF['cut off']}"]


def test_a_blur_is_never_made_across_a_gap(ct_folder: Path, tmp_path: Path) -> None:
    paths = sorted(ct_folder.glob("*.dcm"))[:6]
    plain = request_for(paths[:3] + paths[4:], tmp_path, "blur", {"sigma_mm": 3.0})
    with pytest.raises(GeometryError, match="gap of"):
        run_job(replace(plain, released={"gap": "a gap"}), lambda *_: None, {})
