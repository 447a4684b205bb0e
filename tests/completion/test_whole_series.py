"""A series runs once it is whole, and only then."""

from pathlib import Path
from threading import Thread

import pytest

from core.errors import StorageUnavailableError
from node.ledger.row_states import EndCause, JobState, SeriesState
from node.ledger.tables.ends import End, describe_end
from node.ledger.tables.instances import ABORTED
from tests.support.completion import SETTLE_S, Completion
from tests.support.peers import write_series


def test_a_released_series_waits_for_the_settle_time(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths)
    completion.settle(SETTLE_S - 0.1)
    assert completion.series(ct_paths).state == "settling"
    completion.settle(0.2)
    assert completion.series(ct_paths).state == "processing"
    [job] = completion.jobs(ct_paths)
    assert job.state == JobState.QUEUED
    assert len(job.request.instance_paths) == 10


def test_a_series_over_two_associations_is_one_job(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:5])
    completion.clock.now += SETTLE_S - 1
    completion.send(ct_paths[5:])
    completion.settle()
    [job] = completion.jobs(ct_paths)
    assert len(job.request.instance_paths) == 10


def test_an_association_that_still_carries_the_series_holds_it_back(
    completion: Completion, ct_paths: list[Path]
) -> None:
    first, second = completion.open(), completion.open()
    completion.receive(first, ct_paths[:5])
    completion.receive(second, ct_paths[5:])
    completion.series_completion.association_ended(first, "released")
    completion.settle(100)
    assert completion.jobs(ct_paths) == []
    completion.series_completion.association_ended(second, "released")
    completion.settle()
    assert len(completion.jobs(ct_paths)) == 1


def test_several_series_in_one_association_are_several_jobs(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    other = write_series(ct_paths, tmp_path / "other")
    completion.send([path for pair in zip(ct_paths, other, strict=True) for path in pair])
    completion.settle()
    assert len(completion.jobs(ct_paths)) == len(completion.jobs(other)) == 1


def test_an_aborted_association_never_completes_a_series(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:7], outcome=ABORTED)
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == "held"
    assert row.reason.startswith("7 of 7 instances were received only over an aborted association")
    assert completion.jobs(ct_paths) == []


def test_an_aborted_series_sent_again_runs(completion: Completion, ct_paths: list[Path]) -> None:
    completion.send(ct_paths[:7], outcome=ABORTED)
    completion.settle()
    completion.send(ct_paths)
    completion.settle()
    [job] = completion.jobs(ct_paths)
    assert len(job.request.instance_paths) == 10


def test_the_same_series_sent_again_makes_no_second_job(
    completion: Completion, ct_paths: list[Path]
) -> None:
    for _ in range(3):
        completion.send(ct_paths)
        completion.settle()
    assert len(completion.jobs(ct_paths)) == 1
    assert "nothing new" in completion.words(ct_paths)[-1]


def test_a_late_instance_makes_a_new_job_that_takes_over(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:9])
    completion.settle()
    completion.clock.now += 60
    completion.send(ct_paths[9:])
    completion.settle()
    first, second = completion.jobs(ct_paths)
    assert (first.state, second.state) == (JobState.SUPERSEDED, JobState.QUEUED)
    assert len(second.request.instance_paths) == 10


def test_a_changed_configuration_is_another_job(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    completion.send(ct_paths)
    completion.settle()
    (tmp_path / "model.ckpt").write_bytes(b"other weights")
    completion.send(ct_paths)
    completion.settle()
    assert len({job.job_id for job in completion.jobs(ct_paths)}) == 2


def test_two_peers_that_send_the_same_series_at_once_make_one_job_for_both(
    start: object, ct_paths: list[Path]
) -> None:
    peers = [
        {"name": name, "ae_title": name.upper(), "ip": "127.0.0.1", "port": port}
        for name, port in (("tps", 4001), ("pacs", 4002))
    ]
    completion: Completion = start(peers=peers)  # type: ignore[operator]  # a fixture's factory
    both = [
        Thread(target=completion.send, args=(paths,), kwargs={"calling": calling})
        for paths, calling in ((ct_paths, "TPS"), (ct_paths[::-1], "PACS"))
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    completion.settle()
    [job] = completion.jobs(ct_paths)
    assert len(job.request.instance_paths) == 10
    assert len(list(completion.configuration.storage_path.rglob("*.dcm"))) == 10
    assert {one.peer for one in job.destinations} == {"tps", "pacs"}


def test_a_second_sender_of_the_same_series_gets_the_results_too(
    start: object, ct_paths: list[Path]
) -> None:
    peers = [
        {"name": name, "ae_title": name.upper(), "ip": "127.0.0.1", "port": port}
        for name, port in (("tps", 4001), ("pacs", 4002))
    ]
    completion: Completion = start(peers=peers)  # type: ignore[operator]  # a fixture's factory
    for calling in ("TPS", "PACS", "TPS"):
        completion.send(ct_paths, calling=calling)
        completion.settle()
    [job] = completion.jobs(ct_paths)
    assert [one.peer for one in job.destinations] == ["tps", "pacs"]


def test_a_ledger_that_fails_for_a_moment_holds_nothing(
    completion: Completion, ct_paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    completion.send(ct_paths)

    def fail(*_: object) -> str:
        raise StorageUnavailableError("The ledger failed: disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(completion.series_completion._decisions, "record", fail)
        with pytest.raises(StorageUnavailableError):
            completion.settle()
    assert completion.series(ct_paths).state == SeriesState.SETTLING
    completion.settle()
    assert len(completion.jobs(ct_paths)) == 1


def test_an_instance_stored_after_its_association_ended_is_not_forgotten(
    completion: Completion, ct_paths: list[Path]
) -> None:
    association = completion.open()
    completion.receive(association, ct_paths[:5])
    completion.series_completion.association_ended(association, ABORTED)
    completion.receive(association, ct_paths[5:])
    completion.settle()
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.HELD


def test_an_enhanced_multi_frame_instance_is_a_series(zoo: Path, completion: Completion) -> None:
    paths = list((zoo / "philips_enhanced/anatomical/001").iterdir())
    completion.send(paths)
    completion.settle()
    [job] = completion.jobs(paths)
    assert len(job.request.instance_paths) == 1


def test_the_history_says_who_ended_an_association(
    completion: Completion, ct_paths: list[Path]
) -> None:
    association = completion.open()
    completion.receive(association, ct_paths[:4])
    words = "which released it in the middle of a message"
    end = End(EndCause.HALF, words, "half a data set (9 bytes)")
    with completion.ledger.writing() as connection:
        describe_end(connection, association, end)
    completion.series_completion.association_ended(association, end.outcome)
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.HELD
    assert completion.words(ct_paths)[0] == (
        "aborted by the peer, which released it in the middle of a message, "
        "with half a data set (9 bytes) received"
    )
