"""Jobs go in the order of their priority, size and age, and none waits for ever."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.priority import Priority
from node.ledger.database import Ledger
from node.ledger.requests.jobs import create_job
from node.ledger.requests.waiting_jobs import QueueOrder, waiting_jobs
from tests.jobs.queues import request
from tests.support.databases import open_test_ledger

ORDER = QueueOrder(overtake_s=900.0, small_mb=64.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_test_ledger(tmp_path)
    yield opened
    opened.close()


def turns(ledger: Ledger, *jobs: tuple[Priority, float, float | None]) -> list[int]:
    """The order in which jobs of these priorities, times and sizes (MB) run, by their index."""
    with ledger.writing() as connection:
        for index, (priority, at, size_mb) in enumerate(jobs):
            job = replace(request(f"{index}".ljust(64, "0"), "fine", Path("/")), pipeline="blur")
            create_job(connection, job, (), at, priority=priority, decoded_mb=size_mb)
        return [int(one.job_id[0]) for one in waiting_jobs(connection, 10_000.0, ORDER)]


def test_the_higher_priority_goes_first_and_the_older_of_two_equal_ones(ledger: Ledger) -> None:
    low, medium, high = Priority
    jobs = [(low, 1.0, None), (medium, 3.0, None), (medium, 2.0, None), (high, 4.0, None)]
    assert turns(ledger, *jobs) == [3, 2, 1, 0]


def test_who_waits_for_longer_than_overtake_s_is_not_overtaken_any_more(ledger: Ledger) -> None:
    low, medium, _ = Priority
    assert turns(ledger, (low, 0.0, None), (medium, 899.0, None), (medium, 901.0, None)) == [
        1,
        0,
        2,
    ]


def test_each_step_of_priority_counts(ledger: Ledger) -> None:
    low, _, high = Priority
    jobs = [(low, 0.0, None), (high, 1799.0, None), (high, 1801.0, None)]
    assert turns(ledger, *jobs) == [1, 0, 2]


def test_small_jobs_go_before_large_ones_of_their_priority(ledger: Ledger) -> None:
    medium, high = Priority.MEDIUM, Priority.HIGH
    jobs = [(medium, 1.0, 600.0), (medium, 2.0, 12.0), (high, 3.0, 600.0), (medium, 4.0, None)]
    assert turns(ledger, *jobs) == [1, 2, 0, 3]
