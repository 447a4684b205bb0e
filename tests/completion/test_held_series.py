"""What cannot be processed as it is waits for a person, with the reason in words."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from node.ledger.row_states import SeriesState
from node.ledger.tables.instances import ABORTED, RELEASED
from node.verbs import RELEASE
from tests.completion.steps import refusal
from tests.support.completion import Completion, series_uid
from tests.support.peers import Change, write_series


def other_patient(data_set: pydicom.FileDataset, index: int) -> None:
    data_set.PatientID = "A" if index < 5 else "B"


def two_frames_of_reference(data_set: pydicom.FileDataset, index: int) -> None:
    if index >= 5:
        data_set.FrameOfReferenceUID = "1.2.3.4"


def no_pixel_data(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 3:
        del data_set.PixelData


def two_orientations(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 9:
        data_set.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]


def no_position(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 2:
        del data_set.ImagePositionPatient


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_patient, "more than one patient"),
        (two_frames_of_reference, "frame"),
        (no_pixel_data, "without pixel data"),
        (two_orientations, "orientations"),
        (no_position, "no ImagePositionPatient"),
    ],
)
def test_a_contradicting_series_is_held(
    completion: Completion, ct_paths: list[Path], tmp_path: Path, change: Change, reason: str
) -> None:
    paths = write_series(ct_paths, tmp_path / "sent", change)
    completion.send(paths)
    completion.settle()
    row = completion.series(paths)
    assert row.state == "held"
    assert reason in row.reason
    assert completion.jobs(paths) == []


def test_a_missing_slice_is_held_with_its_place(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:4] + ct_paths[5:])
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == "held"
    assert "gap of 6.54 mm after slice" in row.reason
    assert "expected 3.27 mm" in row.reason


def test_the_missing_slice_that_comes_late_lets_it_run(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:4] + ct_paths[5:])
    completion.settle()
    completion.send(ct_paths[4:5])
    completion.settle()
    assert completion.series(ct_paths).state == "processing"


def test_the_same_instance_with_other_content_holds_the_case(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    completion.send(ct_paths)
    data_set = pydicom.dcmread(ct_paths[3])
    data_set.PixelData = bytes(len(data_set.PixelData))
    data_set.save_as(tmp_path / "changed.dcm")
    completion.send([tmp_path / "changed.dcm"])
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == "held"
    assert str(data_set.SOPInstanceUID) in row.reason
    assert "different content" in row.reason


@pytest.mark.parametrize("series_known", [True, False])
def test_a_series_of_which_something_was_refused_is_held_until_that_comes(
    completion: Completion, ct_paths: list[Path], series_known: bool
) -> None:
    association = completion.open()
    completion.receive(association, ct_paths[:7])
    refused = [refusal(ct_paths[7], series_known=series_known)]
    completion.series_completion.association_ended(association, RELEASED, refused)
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == SeriesState.HELD
    assert row.reason.startswith("1 instances were refused and not received again, such as ")
    assert "0xA700, Disk full" in row.reason
    completion.send(ct_paths)
    completion.settle()
    assert len(completion.jobs(ct_paths)) == 1


def test_a_refusal_holds_no_other_series_of_its_association(
    completion: Completion, ct_paths: list[Path], cine_folder: Path
) -> None:
    association = completion.open()
    completion.receive(association, ct_paths)
    refused = [refusal(cine_folder / "9.dcm")]
    completion.series_completion.association_ended(association, RELEASED, refused)
    completion.settle()
    assert len(completion.jobs(ct_paths)) == 1


def test_a_held_case_does_not_hold_up_another(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    held = write_series(ct_paths, tmp_path / "held", other_patient)
    completion.send(held)
    completion.send(ct_paths)
    completion.settle()
    assert completion.series(held).state == "held"
    assert completion.series(ct_paths).state == "processing"


def test_a_person_can_release_a_cut_off_series(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths, outcome=ABORTED)
    completion.settle()
    answer = completion.command(RELEASE, ct_paths)
    [job] = completion.jobs(ct_paths)
    assert not answer.is_refused
    assert answer.words == (
        "released by a person; released with a part cut off; 10 instances, "
        f"job {job.job_id[:12]} (unet) queued; no destination, results stay here"
    )
    assert job.request.released == {
        "cut off": "10 of 10 instances were received only over an aborted association, so the "
        "end may be missing"
    }


def test_a_release_does_not_pass_over_two_patients(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    paths = write_series(ct_paths, tmp_path / "sent", other_patient)
    completion.send(paths)
    completion.settle()
    answer = completion.command(RELEASE, paths)
    assert answer.is_refused
    assert "more than one patient" in answer.words
    assert "send each patient's instances as a series of their own" in answer.words
    assert completion.series(paths).state == "held"
    assert completion.jobs(paths) == []


def test_a_patients_name_is_nowhere_in_the_ledger(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    def name(data_set: pydicom.FileDataset, index: int) -> None:
        data_set.PatientName = f"Secretname^{index % 2}"

    paths = write_series(ct_paths, tmp_path / "sent", name)
    completion.send(paths)
    completion.settle()
    assert completion.series(paths).state == "held"
    completion.ledger.close()
    for file in completion.configuration.storage_path.glob("ledger.sqlite*"):
        assert b"Secretname" not in file.read_bytes()


def test_a_checkpoint_that_is_gone_holds_the_series(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "model.ckpt").unlink()
    completion.send(ct_paths)
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == "held"
    assert "model.ckpt" in row.reason


def test_an_odd_cine_series_is_not_held(completion: Completion, cine_folder: Path) -> None:
    """Two instances at each position, leading zeros in UIDs, a frame of reference each."""
    paths = sorted(cine_folder.glob("*.dcm"))
    completion.send(paths)
    completion.settle()
    assert len(completion.jobs(paths)) == 1


def test_one_patient_of_two_series_with_the_same_positions_is_two_cases(
    completion: Completion, cine_folder: Path, tmp_path: Path
) -> None:
    sources = sorted(cine_folder.glob("*.dcm"))

    def keep_study(data_set: pydicom.FileDataset, _: int) -> None:
        data_set.StudyInstanceUID = "1.2.3"

    first = write_series(sources, tmp_path / "first", keep_study)
    second = write_series(sources, tmp_path / "second", keep_study)
    assert generate_uid() not in (series_uid(first), series_uid(second))
    completion.send(first + second)
    completion.settle()
    assert len(completion.jobs(first)) == len(completion.jobs(second)) == 1
