"""Synthetic history in a ledger: series of ten instances, each with a job and its deliveries."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, insert, text

from core.job import JobRequest, JobResult, OutputInstance
from node.ledger.database import Ledger
from node.ledger.requests.requests import ASSOCIATION
from node.ledger.row_states import DeliveryState, JobState, RequestState, SeriesState
from node.ledger.schema import (
    associations,
    deliveries,
    events,
    instances,
    jobs,
    receptions,
    request_jobs,
    requests,
    series,
)
from node.ledger.tables.instances import RELEASED

INSTANCES_PER_SERIES = 10
_RESULTS_PER_JOB = 2
_BATCH = 1000
_PEER = {"peer": "TPS", "ip": "127.0.0.1", "port": 104, "ae_title": "TPS"}
_SENDER = {"calling_ae_title": "SENDER", "called_ae_title": "SLICEWIRE", "address": "127.0.0.1"}


def add_history(ledger: Ledger, first: int, end: int) -> None:
    """Add the series numbered `first` to `end`, all done and delivered, one second apart.

    Keys are negative, so that the database still counts its own from 1.
    """
    for begin in range(first, end, _BATCH):
        numbers = range(begin, min(end, begin + _BATCH))
        with ledger.writing() as connection:
            for table, row in _ROWS:
                rows = [one for number in numbers for one in row(number)]
                connection.execute(insert(table), rows)
    with ledger.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))  # as its own process does after a while


def uid(kind: str, number: int) -> str:
    """UID of the object `number` of a kind, unsorted like those of real peers."""
    return f"2.25.{int(hashlib.sha256(f'{kind} {number}'.encode()).hexdigest()[:30], 16)}"


def _association(number: int) -> list[dict[str, Any]]:
    ended = {"opened_at": number, "closed_at": number, "outcome": RELEASED, "reason": ""}
    return [_SENDER | ended | {"id": -1 - number}]


def _series(number: int) -> list[dict[str, Any]]:
    row = {"series_instance_uid": uid("series", number), "study_instance_uid": uid("study", number)}
    times = {"first_at": number, "last_at": number, "released_by_person": False}
    return [_SENDER | row | times | {"state": SeriesState.PROCESSING, "reason": ""}]


def _instances(number: int) -> list[dict[str, Any]]:
    return [_instance(number, key) for key in _keys(number)]


def _instance(number: int, key: int) -> dict[str, Any]:
    return {
        "id": -key,
        "sop_instance_uid": uid("instance", key),
        "sha256": hashlib.sha256(str(key).encode()).hexdigest(),
        "series_instance_uid": uid("series", number),
        "study_instance_uid": uid("study", number),
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "size_bytes": 526_336,
        "path": _path(number, key),
        "received_at": number,
        "made_here": False,
        "differs": False,
    }


def _receipts(number: int) -> list[dict[str, Any]]:
    return [{"association_id": -1 - number, "instance_id": -key} for key in _keys(number)]


def _job(number: int) -> list[dict[str, Any]]:
    request = request_of(number)
    ended = {"created_at": number, "started_at": number, "finished_at": number}
    return [
        {
            "job_id": request.job_id,
            "series_instance_uid": request.series_instance_uid,
            "state": JobState.DONE,
            "reason": "",
            "request": asdict(request) | {"created": request.created.isoformat()},
            "result": asdict(_result(number)),
            "destinations": [],
            "progress": 1.0,
            "attempts": 1,
        }
        | ended
    ]


def _request(number: int) -> list[dict[str, Any]]:
    row = {"id": -1 - number, "series_instance_uid": uid("series", number), "person": ""}
    row |= {"source": ASSOCIATION, "pipeline": "", "destinations": [], "outcome": RELEASED}
    times = {"created_at": number, "last_at": number}
    return [_SENDER | row | times | {"state": RequestState.SUBMITTED, "reason": "", "content": "0"}]


def _job_of_request(number: int) -> list[dict[str, Any]]:
    job_id = request_of(number).job_id
    keys = {"id": -1 - number, "request_id": -1 - number, "job_id": job_id}
    return [keys | {"rule": "rules.0", "pipeline": "blur", "destinations": [_PEER]}]


def _deliveries(number: int) -> list[dict[str, Any]]:
    return deliveries_of(request_of(number).job_id, number, DeliveryState.STORED)


def deliveries_of(job_id: str, number: int, state: str) -> list[dict[str, Any]]:
    """Rows of a job's deliveries to one peer; waiting ones are due."""
    times = {"created_at": number, "next_attempt_at": 0.0, "finished_at": None}
    return [
        _PEER
        | times
        | {"job_id": job_id, "position": position, "state": state, "words": "", "attempts": 0}
        | {"path": f"results/{number}/{position}.dcm"}
        | {"sop_instance_uid": uid("result", _RESULTS_PER_JOB * number + position)}
        for position in range(_RESULTS_PER_JOB)
    ]


def _events(number: int) -> list[dict[str, Any]]:
    key = uid("series", number)
    return [
        {"at": number, "kind": kind, "words": f"{kind} of {key}", "series_instance_uid": key}
        for kind in ("association", "processing", "done", "delivery")
    ]


def request_of(number: int) -> JobRequest:
    """Job request of the series `number`."""
    return JobRequest(
        job_id=hashlib.sha256(f"job {number}".encode()).hexdigest(),
        series_instance_uid=uid("series", number),
        pipeline="blur",
        kind="blur",
        instance_paths=tuple(_path(number, key) for key in _keys(number)),
        output_dir=f"results/{number}",
        parameters={"sigma_mm": 2.0},
        root_uid="1.2.826.0.1.3680043.8.498",
        created=datetime.fromtimestamp(number, UTC),
    )


def _result(number: int) -> JobResult:
    outputs = tuple(
        OutputInstance(
            path=f"dicom/{position}.dcm",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            sop_instance_uid=uid("result", _RESULTS_PER_JOB * number + position),
            series_instance_uid=uid("results", number),
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        )
        for position in range(_RESULTS_PER_JOB)
    )
    return JobResult(instances=outputs, has_structure_set=False, summary="blurred")


def _keys(number: int) -> range:
    begin = number * INSTANCES_PER_SERIES + 1
    return range(begin, begin + INSTANCES_PER_SERIES)


def _path(number: int, key: int) -> str:
    return f"instances/{uid('study', number)}/{uid('series', number)}/{uid('instance', key)}.dcm"


_ROWS: tuple[tuple[Table, Callable[[int], list[dict[str, Any]]]], ...] = (
    (associations, _association),
    (series, _series),
    (instances, _instances),
    (receptions, _receipts),
    (jobs, _job),
    (requests, _request),
    (request_jobs, _job_of_request),
    (deliveries, _deliveries),
    (events, _events),
)
