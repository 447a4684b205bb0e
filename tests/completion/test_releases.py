"""`release` does what it says, or says that it cannot and what helps."""

from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from node.commands import why_not
from node.ledger.tables.instances import ABORTED
from node.ledger.views.series_history import history_of
from node.verbs import RELEASE, RETRY
from tests.support.completion import Completion, Start, series_uid
from tests.support.peers import Change, write_series


def other_study(data_set: pydicom.FileDataset, index: int) -> None:
    if index >= 5:
        data_set.StudyInstanceUID = "1.2.3"


def two_frames_of_reference(data_set: pydicom.FileDataset, index: int) -> None:
    if index >= 5:
        data_set.FrameOfReferenceUID = "1.2.3.4"


def two_sizes(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 4:
        data_set.Rows, data_set.PixelData = 2, bytes(4 * data_set.Columns)


def two_orientations(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 9:
        data_set.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]


def no_position(data_set: pydicom.FileDataset, index: int) -> None:
    if index == 2:
        del data_set.ImagePositionPatient


@pytest.mark.parametrize(
    ("change", "code", "helps"),
    [
        (other_study, "several studies", "send the instances of each study"),
        (two_frames_of_reference, "frames of reference", "send the images of each frame"),
        (two_sizes, "sizes", "send the images of each size"),
        (two_orientations, "orientations", "send the images of each orientation"),
        (no_position, "no place in the patient", "send the images with valid ImagePosition"),
    ],
)
def test_what_would_be_wrong_is_refused_with_what_helps_and_nothing_runs(
    completion: Completion,
    ct_paths: list[Path],
    tmp_path: Path,
    change: Change,
    code: str,
    helps: str,
) -> None:
    paths = write_series(ct_paths, tmp_path / "sent", change)
    completion.send(paths)
    completion.settle()
    row = completion.series(paths)
    assert (list(row.holds), row.is_releasable) == ([code], False)
    answer = completion.command(RELEASE, paths)
    assert answer.is_refused
    assert answer.words.startswith("not released, as a release cannot pass over this: ")
    assert helps in answer.words
    assert completion.series(paths) == row
    assert completion.jobs(paths) == []


def test_a_gap_is_released_to_what_draws_on_single_images_and_told(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:4] + ct_paths[5:])
    completion.settle()
    row = completion.series(ct_paths)
    assert (list(row.holds), row.is_releasable) == (["gap"], True)
    assert "send the missing slice between " in row.reason
    assert row.reason.endswith(", or release it as it is")
    answer = completion.command(RELEASE, ct_paths)
    assert not answer.is_refused
    assert "released with a gap; 9 instances, job" in answer.words
    [job] = completion.jobs(ct_paths)
    assert list(job.request.released) == ["gap"]
    assert "gap of 6.54 mm after slice" in job.request.released["gap"]
    assert completion.series(ct_paths).holds == {}


def test_a_gap_is_never_released_to_what_computes_across_slices(
    start: Start, ct_paths: list[Path]
) -> None:
    completion = start(pipeline="3dblur")
    completion.send(ct_paths[:4] + ct_paths[5:])
    completion.settle()
    answer = completion.command(RELEASE, ct_paths)
    assert answer.is_refused
    assert "send the missing slice between " in answer.words
    assert completion.jobs(ct_paths) == []


def test_a_release_passes_over_what_was_told_and_nothing_else(
    completion: Completion, ct_paths: list[Path]
) -> None:
    """A gap that a cut-off association left: both are told at once, and one release is enough."""
    completion.send(ct_paths[:4] + ct_paths[5:], outcome=ABORTED)
    completion.settle()
    assert list(completion.series(ct_paths).holds) == ["cut off", "gap"]
    assert not completion.command(RELEASE, ct_paths).is_refused
    [job] = completion.jobs(ct_paths)
    assert list(job.request.released) == ["cut off", "gap"]
    completion.send(ct_paths[9:], outcome=ABORTED)  # known already
    completion.settle()
    assert completion.series(ct_paths).state == "processing"


def test_a_cut_off_series_that_cannot_run_is_not_offered_for_release(
    start: Start, ct_paths: list[Path]
) -> None:
    completion = start(pipeline="3dblur")
    completion.send(ct_paths[:4] + ct_paths[5:], outcome=ABORTED)
    completion.settle()
    row = completion.series(ct_paths)
    assert (list(row.holds), row.is_releasable) == (["cut off", "gap"], False)
    assert completion.command(RELEASE, ct_paths).is_refused


def test_something_new_ends_a_release(completion: Completion, ct_paths: list[Path]) -> None:
    completion.send(ct_paths[:9], outcome=ABORTED)
    completion.settle()
    completion.command(RELEASE, ct_paths)
    completion.send(ct_paths[9:], outcome=ABORTED)
    completion.settle()
    row = completion.series(ct_paths)
    assert (row.state, list(row.holds), row.released) == ("held", ["cut off"], {})


def test_what_is_put_right_at_the_node_is_judged_anew_by_a_retry(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    content = (tmp_path / "model.ckpt").read_bytes()
    (tmp_path / "model.ckpt").unlink()
    completion.send(ct_paths)
    completion.settle()
    assert list(completion.series(ct_paths).holds) == ["node"]
    assert completion.command(RELEASE, ct_paths).is_refused
    assert completion.command(RETRY, ct_paths).is_refused
    (tmp_path / "model.ckpt").write_bytes(content)
    assert not completion.command(RETRY, ct_paths).is_refused
    assert len(completion.jobs(ct_paths)) == 1


def test_a_series_that_is_not_held_is_not_released(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    answer = completion.command(RELEASE, ct_paths)
    assert answer == replace(answer, words="is not held, nothing to release", is_refused=True)


def test_whether_a_release_helps_is_known_without_the_files(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    paths = write_series(ct_paths, tmp_path / "sent", other_study)
    completion.send(paths)
    completion.settle()
    for file in (completion.configuration.storage_path / "instances").rglob("*.dcm"):
        file.unlink()
    history = history_of(completion.ledger, series_uid(paths))
    assert history is not None
    assert (history.holds, history.is_releasable) == (("several studies",), False)
    assert "more than one study" in why_not(completion.ledger, RELEASE, series_uid(paths))
