"""A sender that opens an association for each instance is waited for by its own pauses."""

from collections.abc import Sequence
from pathlib import Path

import pydicom
import pytest

from core.job import JobResult
from network.sender import Sender
from node.commands import ask, carry_out
from node.ledger.requests.jobs import JobRow, finish_job, jobs_of, start_job
from node.ledger.row_states import SeriesState
from node.ledger.tables.habits import habits_of, longest_pause_s
from node.ledger.tables.instances import ABORTED
from node.verbs import RELEASE
from tests.support.completion import Completion, Start, series_uid
from tests.support.databases import open_test_ledger
from tests.support.peers import write_series

TPS = Sender("TPS", "SLICEWIRE", "127.0.0.1")


def send_one_by_one(
    completion: Completion, paths: Sequence[Path], pause_s: float, **sender: str
) -> None:
    """With the tracker looking all the time, and each job done as soon as it is there."""
    for path in paths:
        completion.send([path], **sender)
        pass_time(completion, paths, pause_s)


def pass_time(completion: Completion, paths: Sequence[Path], seconds: float) -> None:
    left, uid = seconds, series_uid(paths)
    while left > 0:
        completion.settle(min(left, 1.0))
        left -= 1.0
        with completion.ledger.reading() as connection:
            found = jobs_of(connection, uid)
        for job in found:
            if job.state == "queued":
                finish(completion, job)


def finish(completion: Completion, job: JobRow) -> None:
    now = completion.clock.now
    with completion.ledger.writing() as connection:
        start_job(connection, job.job_id, now)
        finish_job(connection, job.job_id, JobResult((), True, "drawn"), now)


def done(completion: Completion, paths: Sequence[Path]) -> list[int]:
    """How many instances each result set was made of."""
    return [len(job.request.instance_paths) for job in completion.jobs(paths)]


@pytest.fixture
def twelve(ct_folder: Path, tmp_path: Path) -> list[Path]:
    return write_series(sorted(ct_folder.glob("*.dcm"))[:12], tmp_path / "twelve")


@pytest.mark.parametrize("pause_s", [6, 20, 29])
def test_twelve_slices_with_pauses_over_the_settle_time_are_one_result_set(
    completion: Completion, twelve: list[Path], pause_s: float
) -> None:
    send_one_by_one(completion, twelve, pause_s)
    assert done(completion, twelve) == []
    assert completion.series(twelve).reason.startswith("one instance on an association of its own")
    pass_time(completion, twelve, 4 * pause_s + 30)
    assert done(completion, twelve) == [12]


def test_pauses_that_are_not_known_yet_are_two_result_sets_at_most_and_then_one(
    completion: Completion, twelve: list[Path], tmp_path: Path
) -> None:
    send_one_by_one(completion, twelve, 40)
    pass_time(completion, twelve, 700)
    assert done(completion, twelve) == [1, 12]
    again = write_series(twelve, tmp_path / "again")
    send_one_by_one(completion, again, 40)
    pass_time(completion, again, 119)
    assert done(completion, again) == []
    pass_time(completion, again, 2)
    assert done(completion, again) == [12]


def test_the_longest_pause_of_a_sender_survives_a_restart(
    completion: Completion, twelve: list[Path]
) -> None:
    send_one_by_one(completion, twelve[:3], 20)
    ledger = open_test_ledger(completion.configuration.storage_path)
    with ledger.reading() as connection:
        assert habits_of(connection) == [(Sender("TPS", "", "127.0.0.1"), 20)]
        assert longest_pause_s(connection, TPS) == 20
        assert longest_pause_s(connection, Sender("PACS", "SLICEWIRE", "127.0.0.1")) is None
    ledger.close()


def test_a_pause_that_is_no_pause_is_not_remembered(
    completion: Completion, twelve: list[Path]
) -> None:
    """An instance that comes the next day is late."""
    completion.send(twelve[:1])
    completion.clock.now += 86_400
    completion.send(twelve[1:2])
    with completion.ledger.reading() as connection:
        assert longest_pause_s(connection, TPS) is None


def test_a_long_pause_that_never_came_again_is_forgotten(
    completion: Completion, twelve: list[Path]
) -> None:
    send_one_by_one(completion, twelve[:2], 100)
    completion.clock.now += 31 * 86_400
    send_one_by_one(completion, twelve[4:6], 10)
    with completion.ledger.reading() as connection:
        assert longest_pause_s(connection, TPS) == 10


def test_the_settle_time_of_such_a_sender_has_an_upper_bound(
    start: Start, twelve: list[Path]
) -> None:
    completion = start(completion={"longest_settle_s": 60})
    completion.send(twelve[:1])
    completion.clock.now += 50
    completion.send(twelve[1:2])
    assert completion.series(twelve).ready_at == completion.clock.now + 60


@pytest.mark.parametrize("how", ["settle_s of the peer", "switched off"])
def test_it_is_waited_for_like_any_other(start: Start, twelve: list[Path], how: str) -> None:
    peer = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 9, "settle_s": 5}
    off = {"completion": {"one_by_one_factor": 0}}
    completion = start(**({"peers": [peer]} if how.startswith("settle") else off))
    completion.send(twelve[:1])
    completion.settle()
    assert completion.series(twelve).state == SeriesState.PROCESSING


def test_one_slice_alone_waits_thirty_seconds_and_not_for_good(
    completion: Completion, twelve: list[Path]
) -> None:
    completion.send(twelve[:1])
    completion.settle(29)
    assert completion.series(twelve).state == SeriesState.SETTLING
    completion.settle(1)
    assert completion.series(twelve).state == SeriesState.PROCESSING
    assert "one instance on an association of its own: waiting 30 s for more" in completion.words(
        twelve
    )


def test_one_instance_that_is_a_series_by_itself_waits_no_longer(
    completion: Completion, cine_folder: Path, tmp_path: Path
) -> None:
    def capture(data_set: pydicom.FileDataset, _: int) -> None:
        data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID

    [path] = write_series([cine_folder / "9.dcm"], tmp_path / "capture", capture)
    completion.send([path])
    completion.settle()
    assert completion.series([path]).state != SeriesState.SETTLING


def test_one_late_slice_of_a_series_that_came_at_once_waits_no_longer(
    completion: Completion, twelve: list[Path]
) -> None:
    completion.send(twelve[:11])
    completion.send(twelve[11:])
    completion.settle()
    assert completion.series(twelve).state == SeriesState.PROCESSING


def test_a_revision_does_not_follow_another_within_minutes(
    completion: Completion, twelve: list[Path]
) -> None:
    for begin, end in ((0, 6), (6, 8), (8, 10), (10, 12)):
        completion.send(twelve[begin:end])
        pass_time(completion, twelve, 20)
    assert done(completion, twelve) == [6, 8]
    assert completion.series(twelve).reason.startswith("the previous revision is minutes old")
    pass_time(completion, twelve, 300)
    assert done(completion, twelve) == [6, 8, 12]


def test_a_person_does_not_wait_for_a_revision(completion: Completion, twelve: list[Path]) -> None:
    for begin, end in ((0, 6), (6, 8)):
        completion.send(twelve[begin:end])
        pass_time(completion, twelve, 20)
    completion.send(twelve[8:], outcome=ABORTED)
    pass_time(completion, twelve, 400)
    ask(completion.ledger, RELEASE, series_uid(twelve))
    carry_out(completion.ledger)
    completion.settle(0)
    assert done(completion, twelve)[-1] == 12


def test_a_sender_that_is_aborted_after_each_slice_is_known_by_its_pauses_too(
    completion: Completion, twelve: list[Path]
) -> None:
    for path in twelve[:3]:
        completion.send([path], outcome=ABORTED)
        completion.clock.now += 12
    with completion.ledger.reading() as connection:
        assert longest_pause_s(connection, TPS) == 12
