"""Jobs run in a worker process; whatever happens there, the case says why and the queue goes on."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from core.config.file import read_configuration
from core.config.sections import Engine as EngineSettings
from core.errors import StorageUnavailableError
from core.job import JobRequest
from node.jobs.engine import Engine
from node.jobs.runner import Runner
from node.ledger.requests.jobs import requeue_running, start_job, supersede_jobs
from node.ledger.row_states import JobState
from node.ledger.tables.events import events_of
from tests.jobs.queues import ENTRY, SERIES, Queue, request
from tests.support.cluster import scheduler_for_tests
from tests.support.databases import open_test_ledger


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, list[object]]]:
    """One engine for all, because a worker takes seconds to start."""
    progress: list[object] = []
    engine = Engine(
        ENTRY,
        on_progress=lambda job_id, fraction, _: progress.append((job_id, fraction)),
        scratch_folder=tmp_path_factory.mktemp("scratch"),
        settings=EngineSettings(scheduler=scheduler_for_tests(), workers=2),
    )
    yield engine, progress
    engine.close()


@pytest.fixture
def queue(engine: tuple[Engine, list[tuple[str, float]]], tmp_path: Path) -> Iterator[Queue]:
    """An empty queue."""
    ledger = open_test_ledger(tmp_path)
    configuration = read_configuration(
        None, {"storage_path": tmp_path, "engine": {"time_limit_s": 3.0, "attempts": 2}}
    )
    yield Queue(ledger, Runner(configuration, ledger, engine[0]), *engine, tmp_path)
    ledger.close()


def test_a_job_runs_in_another_process_and_its_result_is_in_the_ledger(queue: Queue) -> None:
    job = queue.run("fine")
    assert job.state == JobState.DONE
    assert job.result is not None
    assert not job.result.summary.endswith(f" {os.getpid()}")
    assert (job.job_id, 0.5) in queue.progress


def test_the_latest_of_what_a_job_says_at_once_is_told_while_it_goes_on(queue: Queue) -> None:
    """As of a job that reads quickly and then computes for long."""
    job = queue.run("quick then slow")
    assert job.state == JobState.DONE
    assert [done for job_id, done in queue.progress if job_id == job.job_id] == [0.5, 0.8]


def test_warnings_of_a_job_are_in_the_history_of_its_case(queue: Queue) -> None:
    job = queue.run("warn")
    with queue.ledger.reading() as connection:
        told = [(kind, words) for _, kind, words in events_of(connection, SERIES)]
    assert ("warning", f"job {job.job_id[:12]}: 1 of 9 images set aside") in told


def test_what_a_worker_keeps_is_there_for_its_next_job(queue: Queue) -> None:
    counts: dict[str, list[int]] = {}
    for _ in range(6):
        result = queue.run("fine").result
        assert result is not None
        _, count, _, worker = result.summary.split()
        counts.setdefault(worker, []).append(int(count))
    for seen in counts.values():
        assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert max(map(len, counts.values())) > 1


def test_a_refusal_is_the_jobs_reason_word_by_word(queue: Queue) -> None:
    job = queue.run("refuse")
    assert job.state == JobState.FAILED
    assert job.reason == "Series 1.2.3: gap of 6.0 mm after slice 41, expected 3.0 mm"


def test_an_unforeseen_error_is_named_without_its_own_words(queue: Queue) -> None:
    job = queue.run("fault")
    assert job.state == JobState.FAILED
    assert job.reason.startswith("unforeseen error ValueError at entries.py:")
    with queue.ledger.reading() as connection:
        told = str(events_of(connection, SERIES))
    assert "ValueError" in told
    assert "Secretname" not in told


def test_a_worker_that_keeps_dying_fails_its_job_and_the_next_one_runs(queue: Queue) -> None:
    job = queue.run("die")
    assert (job.state, job.deaths) == (JobState.QUEUED, 1)
    assert queue.runner.run_next()
    job = queue.job(job.job_id)
    assert (job.state, job.reason) == (
        JobState.FAILED,
        "the worker process died 2 times while running this job",
    )
    assert queue.run("fine").state == JobState.DONE


def test_a_job_over_its_time_limit_is_ended_and_the_next_one_runs(queue: Queue) -> None:
    job = queue.run("sleep")
    assert (job.state, job.reason) == (JobState.FAILED, "The job ran longer than 3 s")
    assert queue.run("fine").state == JobState.DONE


def test_a_stop_puts_the_running_job_back(tmp_path: Path) -> None:
    with closing(open_test_ledger(tmp_path)) as ledger:
        engine = Engine(ENTRY, on_progress=lambda *_: None, scratch_folder=tmp_path)
        configuration = read_configuration(None, {"storage_path": tmp_path})
        stopped = Queue(ledger, Runner(configuration, ledger, engine), engine, [], tmp_path)
        threading.Timer(1.0, engine.cancel).start()
        assert stopped.run("sleep").state == JobState.QUEUED
        engine.close()


def test_a_job_that_was_superseded_meanwhile_leaves_no_result(queue: Queue) -> None:
    old = queue.add("fine")
    with queue.ledger.writing() as connection:
        start_job(connection, old, 0.0)
        new = request("new".ljust(64, "0"), "fine", queue.folder)
        newer = JobRequest(**{name: getattr(new, name) for name in new.__slots__}
                           | {"pipeline": queue_pipeline(old)})  # fmt: skip
        assert supersede_jobs(connection, newer) == [old]
    assert queue.job(old).state == JobState.SUPERSEDED
    assert not queue.runner.run_next()


def queue_pipeline(job_id: str) -> str:
    return f"pipeline {job_id[0]}"


def test_the_oldest_job_runs_first_and_an_empty_queue_says_so(queue: Queue) -> None:
    first, second = queue.add("fine"), queue.add("fine")
    assert queue.runner.run_next()
    assert (queue.job(first).state, queue.job(second).state) == (JobState.DONE, JobState.QUEUED)
    assert queue.runner.run_next()
    assert not queue.runner.run_next()


def test_what_was_running_at_a_crash_is_queued_at_the_next_start(queue: Queue) -> None:
    job_id = queue.add("fine")
    with queue.ledger.writing() as connection:
        start_job(connection, job_id, 0.0)
        assert requeue_running(connection) == [job_id]
    assert queue.job(job_id).state == JobState.QUEUED


def test_a_job_that_never_ends_is_given_up(queue: Queue) -> None:
    job_id = queue.add("fine")
    with queue.ledger.writing() as connection:
        for _ in range(10):
            start_job(connection, job_id, 0.0)
    assert queue.runner.run_next()
    assert queue.job(job_id).reason == "given up after 10 attempts that did not end"


def test_a_job_whose_start_may_not_have_been_recorded_runs_all_the_same(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = queue.add("fine")
    writing = queue.ledger.writing

    @contextmanager
    def committed_without_an_answer() -> Iterator[Connection]:
        with writing() as connection:
            yield connection
        raise StorageUnavailableError("The ledger failed: the connection was lost")

    with monkeypatch.context() as failing:
        failing.setattr(queue.ledger, "writing", committed_without_an_answer)
        with pytest.raises(StorageUnavailableError):
            queue.runner._take()
    assert queue.job(job_id).state == JobState.RUNNING
    assert queue.runner.run_next()
    assert queue.job(job_id).state == JobState.DONE
