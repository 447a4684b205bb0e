"""Frequent steps of the node with its ledger, as the node performs them."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import insert

from bench.history import INSTANCES_PER_SERIES, deliveries_of, request_of, uid
from core.job import JobRequest
from core.storage_layout import IN_LEDGER
from network.sender import Sender
from node.ledger.database import Ledger
from node.ledger.requests.due import due_series
from node.ledger.requests.jobs import create_job, fail_job, find_job, start_job
from node.ledger.requests.waiting_jobs import next_queued
from node.ledger.row_states import DeliveryState
from node.ledger.schema import deliveries
from node.ledger.tables.deliveries import due_jobs
from node.ledger.tables.instances import (
    StoredInstance,
    close_association,
    find_instances,
    open_association,
    record_instance,
    record_reception,
    touch_series,
)
from node.ledger.tables.series import settle
from node.ledger.views.series_history import history_of, latest_histories

_LATEST = 50
_WAITING = 20
_FRESH = 10_000_000  # numbers that the history does not reach
_SENDER = Sender("SENDER", "SLICEWIRE", "127.0.0.1")

Step = Callable[[int], None]


def record(ledger: Ledger, size: int) -> Step:
    """Record one instance: the whole transaction of the instance store."""
    with ledger.writing() as connection:
        association = open_association(connection, _SENDER, ledger.clock())

    def step(number: int) -> None:
        instance = _instance(_FRESH * size + number)
        with ledger.writing() as connection:
            now = ledger.clock()
            assert not find_instances(connection, instance.sop_instance_uid)
            record_reception(connection, association, record_instance(connection, instance, now))
            touch_series(connection, instance, association, now)

    return step


def claim(ledger: Ledger, size: int) -> Step:
    """Claim the job that has been queued longest."""

    def step(_number: int) -> None:
        with ledger.writing() as connection:
            job = next_queued(connection, ledger.clock())
            assert job is not None
            start_job(connection, job.job_id, ledger.clock())

    with ledger.writing() as connection:
        for number in range(_FRESH * size, _FRESH * size + 2 * INSTANCES_PER_SERIES**2):
            create_job(connection, _request(number), (), ledger.clock())
    return step


def due(ledger: Ledger, _size: int) -> Step:
    """Find the due series, with twenty of them due."""
    with ledger.writing() as connection:
        association = open_association(connection, _SENDER, ledger.clock())
        for number in range(_FRESH, _FRESH + _WAITING):
            instance = replace(_instance(number), series_instance_uid=uid("due", number))
            if not find_instances(connection, instance.sop_instance_uid):
                key = record_instance(connection, instance, ledger.clock())
                record_reception(connection, association, key)
                touch_series(connection, instance, association, ledger.clock())
            settle(connection, instance.series_instance_uid, _SENDER, 0.0)
        close_association(connection, association, "released", ledger.clock())

    def step(_number: int) -> None:
        with ledger.reading() as connection:
            assert len(due_series(connection, ledger.clock())) == _WAITING

    return step


def due_deliveries(ledger: Ledger, _size: int) -> Step:
    """Find the due deliveries, with those of twenty jobs waiting."""
    with ledger.writing() as connection:
        for number in range(_FRESH - _WAITING, _FRESH):
            job_id = _request(number).job_id
            if find_job(connection, job_id) is None:
                create_job(connection, _request(number), (), ledger.clock())
                fail_job(connection, job_id, "", ledger.clock())
                rows = deliveries_of(job_id, number, DeliveryState.WAITING)
                connection.execute(insert(deliveries), rows)

    def step(_number: int) -> None:
        with ledger.reading() as connection:
            assert len(due_jobs(connection, ledger.clock())) == _WAITING

    return step


def show_list(ledger: Ledger, _size: int) -> Step:
    """Run `list`: the latest fifty series with their states."""

    def step(_number: int) -> None:
        assert len(latest_histories(ledger, _LATEST)) == _LATEST

    return step


def show_one(ledger: Ledger, size: int) -> Step:
    """Run `show`: the full history of one series, by its UID."""

    def step(number: int) -> None:
        history = history_of(ledger, uid("series", number * size // 1000))
        assert history is not None
        assert history.instances == INSTANCES_PER_SERIES

    return step


def _instance(number: int) -> StoredInstance:
    series_uid = uid("series", number // INSTANCES_PER_SERIES)
    path = IN_LEDGER.instance(uid("study", number), series_uid, uid("instance", number))
    return StoredInstance(
        sop_instance_uid=uid("instance", number),
        series_instance_uid=series_uid,
        study_instance_uid=uid("study", number),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sha256=f"{number:064d}",
        size_bytes=526_336,
        path=str(path),
        made_here=False,
    )


def _request(number: int) -> JobRequest:
    return replace(request_of(number % _FRESH), job_id=f"fresh {number}")


STEPS: dict[str, Callable[[Ledger, int], Step]] = {
    "store an instance": record,
    "claim a job": claim,
    "series to look at": due,
    "results to send": due_deliveries,
    "list the latest 50": show_list,
    "show one series": show_one,
}
