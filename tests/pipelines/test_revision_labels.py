"""A revision says in the result that it is one, and what it replaces."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from core.job import JobRequest
from pipeline.entry import run_job
from tests.support.checkpoints import one_view_checkpoint
from tests.support.jobs import request_for

RTSTRUCT, CT = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.5.1.4.1.1.2"


def revised(request: JobRequest, sop_class_uid: str) -> JobRequest:
    return replace(
        request,
        revision=2,
        predecessor_job_id="c" * 64,
        predecessor_uids={"1.2.3.4": sop_class_uid},
        predecessor_series_uids=("1.2.3",),
    )


def first_result(request: JobRequest) -> pydicom.FileDataset:
    result = run_job(request, lambda *_: None, {})
    return pydicom.dcmread(Path(request.output_dir, result.instances[0].path))


def errors_of(data_set: pydicom.FileDataset) -> set[str]:
    done = subprocess.run(
        ["/usr/bin/dciodvfy", str(data_set.filename)], capture_output=True, text=True, check=False
    )
    return {line for line in done.stderr.splitlines() if line.startswith("Error - Missing")}


@pytest.mark.peer("dciodvfy")
def test_a_revised_structure_set_names_its_predecessor(cine_folder: Path, tmp_path: Path) -> None:
    paths = [cine_folder / f"{number}.dcm" for number in (89, 99, 109)]
    plain = request_for(paths, tmp_path, "unet", {"checkpoint_path": one_view_checkpoint()})
    first = first_result(plain)
    again = replace(revised(plain, RTSTRUCT), output_dir=str(tmp_path / "results" / "second"))
    second = first_result(again)
    assert first.StructureSetLabel == "SLICEWIRE"
    assert "PredecessorStructureSetSequence" not in first
    assert second.StructureSetLabel == "SLICEWIRE REV2"
    assert "revision 2" in second.StructureSetDescription
    assert second.SeriesDescription.endswith("revision 2")
    [item] = second.PredecessorStructureSetSequence
    assert (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) == (RTSTRUCT, "1.2.3.4")
    assert errors_of(second) <= errors_of(first)


@pytest.mark.peer("dciodvfy")
def test_a_revised_blur_names_the_series_it_replaces(ct_folder: Path, tmp_path: Path) -> None:
    plain = request_for(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path, "blur", {"sigma_mm": 3.0})
    first = first_result(plain)
    again = replace(revised(plain, CT), output_dir=str(tmp_path / "results" / "second"))
    second = first_result(again)
    assert "RelatedSeriesSequence" not in first
    assert "revision 2" in second.SeriesDescription
    assert second.DerivationDescription.endswith("revision 2")
    assert [one.SeriesInstanceUID for one in second.RelatedSeriesSequence] == ["1.2.3"]
    assert errors_of(second) <= errors_of(first)
