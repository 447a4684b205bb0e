"""Results of instances with a frame of reference each share a single one."""

import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from imaging.instances.header import read_header
from pipeline.entry import run_job
from simulator.returned_images import derived_faults
from tests.support.jobs import request_for
from tests.support.peers import write_series


def frame_of_its_own(data_set: FileDataset, _: int) -> None:
    data_set.FrameOfReferenceUID = generate_uid()


@pytest.fixture(scope="module")
def sent(ct_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five slices of a CT, each with a frame of reference of its own."""
    slices = sorted(ct_folder.glob("*.dcm"))[:5]
    return write_series(slices, tmp_path_factory.mktemp("sent"), frame_of_its_own)


def blurred(sent: list[Path], folder: Path, sigma_mm: float = 2.0) -> list[Path]:
    request = request_for(sent, folder, "blur", {"sigma_mm": sigma_mm})
    result = run_job(request, lambda *_: None, {})
    assert any("frame of reference of its own" in one for one in result.warnings)
    return [Path(request.output_dir, one.path) for one in result.instances]


def frames_of(paths: list[Path]) -> set[str]:
    return {str(pydicom.dcmread(path).FrameOfReferenceUID) for path in paths}


def test_the_derived_series_has_one_frame_of_reference_whatever_the_job(
    sent: list[Path], tmp_path: Path
) -> None:
    derived = blurred(sent, tmp_path / "one")
    [frame_uid] = frames_of(derived)
    assert frame_uid not in frames_of(sent)
    assert frames_of(blurred(sent, tmp_path / "other", 4.0)) == {frame_uid}


def test_an_instance_without_a_frame_of_reference_gets_that_of_the_others(
    ct_folder: Path, tmp_path: Path
) -> None:
    def second_has_none(data_set: FileDataset, index: int) -> None:
        if index == 1:
            del data_set.FrameOfReferenceUID

    slices = sorted(ct_folder.glob("*.dcm"))[:4]
    paths = write_series(slices, tmp_path / "sent", second_has_none)
    request = request_for(paths, tmp_path, "blur", {"sigma_mm": 2.0})
    result = run_job(request, lambda *_: None, {})
    derived = [Path(request.output_dir, one.path) for one in result.instances]
    assert frames_of(derived) == frames_of(paths[:1])


def test_a_planning_system_finds_no_fault_in_it_unless_frames_differ(
    sent: list[Path], tmp_path: Path
) -> None:
    derived = [read_header(path) for path in blurred(sent, tmp_path)]
    known = {one.sop_instance_uid: one for one in map(read_header, sent)}
    assert list(derived_faults(derived, known)) == []
    data_set = pydicom.dcmread(derived[0].path)
    data_set.FrameOfReferenceUID = "1.2.3"
    data_set.save_as(tmp_path / "odd.dcm")
    odd = [read_header(tmp_path / "odd.dcm"), *derived[1:]]
    [fault] = derived_faults(odd, known)
    assert "2 frames of reference, expected one" in fault


def test_both_phases_of_a_shipped_cine_are_blurred(cine_folder: Path, tmp_path: Path) -> None:
    derived = blurred(sorted(cine_folder.glob("*.dcm")), tmp_path)
    assert len(derived) == 22
    assert len(frames_of(derived)) == 1


@pytest.mark.peer("dciodvfy")
def test_dciodvfy_finds_no_error_that_the_source_did_not_have(
    sent: list[Path], tmp_path: Path
) -> None:
    assert _errors(blurred(sent, tmp_path)[2]) <= _errors(sent[2])


def _errors(path: Path) -> set[str]:
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert lines, "dciodvfy said nothing"
    return {line for line in lines if line.startswith("Error")}
