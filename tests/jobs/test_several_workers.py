"""Several jobs at once: one that is stopped or dies leaves the others alone."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.sections import Engine as EngineSettings
from core.errors import EngineUnavailableError
from node.jobs.engine import Engine
from node.ledger.requests.jobs import cancel_job
from node.ledger.row_states import JobState
from node.ledger.tables.conditions import all_conditions
from tests.jobs.queues import ENTRY, Queue, make_queue
from tests.support.cluster import ExternalCluster, scheduler_for_tests


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(
        ENTRY,
        on_progress=lambda *_: None,
        scratch_folder=tmp_path_factory.mktemp("scratch"),
        settings=EngineSettings(workers=2, scheduler=scheduler_for_tests()),
    )
    yield engine
    engine.close()


@pytest.fixture
def queue(engine: Engine, tmp_path: Path) -> Iterator[Queue]:
    queue = make_queue(engine, tmp_path, time_limit_s=120.0)
    engine._opened().client.wait_for_workers(2, timeout=120)  # after the last test killed one
    yield queue
    queue.ledger.close()


def in_slots(queue: Queue, count: int = 2) -> list[threading.Thread]:
    threads = [threading.Thread(target=queue.runner.run_next) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def wait_for(queue: Queue, job_id: str, state: str, within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while queue.job(job_id).state != state:
        assert time.monotonic() < end, f"{queue.job(job_id).state}, expected {state}"
        time.sleep(0.05)


def test_as_many_jobs_run_at_once_as_there_are_slots(queue: Queue) -> None:
    jobs = [queue.add("meet") for _ in range(2)]
    for thread in in_slots(queue):
        thread.join()
    assert [queue.job(one).state for one in jobs] == [JobState.DONE, JobState.DONE]


def test_a_cancelled_job_is_stopped_and_the_other_one_finishes(queue: Queue) -> None:
    unwanted, other = queue.add("sleep"), queue.add("short")
    threads = in_slots(queue)
    wait_for(queue, unwanted, JobState.RUNNING)
    with queue.ledger.writing() as connection:
        assert cancel_job(connection, unwanted, "cancelled by a person", 2.0)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert queue.job(unwanted).state == JobState.CANCELLED
    assert queue.job(other).state == JobState.DONE
    assert queue.run("fine").state == JobState.DONE


def test_a_worker_that_dies_leaves_the_other_slots_job_alone(queue: Queue) -> None:
    poison, other = queue.add("die"), queue.add("short")
    for thread in in_slots(queue):
        thread.join()
    assert (queue.job(poison).state, queue.job(poison).deaths) == (JobState.QUEUED, 1)
    assert (queue.job(other).state, queue.job(other).deaths) == (JobState.DONE, 0)


def test_a_job_that_a_slot_holds_is_not_put_back_by_another(queue: Queue) -> None:
    held = queue.add("short")
    threads = in_slots(queue, 1)
    wait_for(queue, held, JobState.RUNNING)
    assert not queue.runner.run_next()
    assert queue.job(held).state == JobState.RUNNING
    threads[0].join()
    assert queue.job(held).attempts == 1


def test_without_its_scheduler_the_node_says_so_and_jobs_wait(tmp_path: Path) -> None:
    settings = EngineSettings(scheduler="tcp://127.0.0.1:9")
    engine = Engine(ENTRY, on_progress=lambda *_: None, scratch_folder=tmp_path, settings=settings)
    queue = make_queue(engine, tmp_path)
    job_id = queue.add("fine")
    with pytest.raises(EngineUnavailableError, match=r"No Dask scheduler answers at tcp://127"):
        queue.runner.run_next()
    with queue.ledger.reading() as connection:
        [condition] = all_conditions(connection)
    assert condition.words == "No Dask scheduler answers at tcp://127.0.0.1:9"
    assert queue.job(job_id).state == JobState.QUEUED
    queue.ledger.close()


@pytest.mark.slow
def test_jobs_go_on_after_the_scheduler_was_killed_and_started_again(tmp_path: Path) -> None:
    cluster = ExternalCluster(workers=1)
    settings = EngineSettings(scheduler=cluster.address)
    engine = Engine(ENTRY, on_progress=lambda *_: None, scratch_folder=tmp_path, settings=settings)
    queue = make_queue(engine, tmp_path)
    job_id = queue.add("short")
    try:
        threads = in_slots(queue, 1)
        wait_for(queue, job_id, JobState.RUNNING)
        time.sleep(0.5)
        cluster.kill_scheduler()
        threads[0].join(60)
        job = queue.job(job_id)
        assert (job.state, job.deaths, job.attempts) == (JobState.QUEUED, 0, 0)
        cluster.start(1)
        time.sleep(3)
        assert queue.runner.run_next()
        assert queue.job(job_id).state == JobState.DONE
        with queue.ledger.reading() as connection:
            assert all_conditions(connection) == []
    finally:
        engine.close()
        cluster.stop()
        queue.ledger.close()
