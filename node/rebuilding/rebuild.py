"""Make a lost ledger again from instances and results.

What only the ledger knew is gone: who sent what, what was sent on, what persons decided. No series
runs by itself afterwards and nothing is sent; a person runs pipelines, or the sender sends again.
"""

import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from core.config.settings import Configuration
from core.errors import ConfigurationError
from core.storage_layout import StorageLayout
from network.data_sets.limits import DataSetBounds
from network.sender import Sender
from node.completion.decisions import UNKNOWN_SENDER
from node.ledger.database import Ledger, open_ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import create_job, finish_job
from node.ledger.row_states import SeriesState
from node.ledger.schema import instances, series
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import (
    RELEASED,
    StoredInstance,
    close_association,
    open_association,
    record_instance,
    record_reception,
)
from node.lock import StorageLock
from node.rebuilding.instances import file_logged_instances, stored_instances
from node.rebuilding.results import finished_jobs

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Counts of what a rebuilt ledger knows."""

    series: int
    instances: int
    jobs: int


LOST = (
    "instances lie in storage that it does not know: stop the node, then slicewire ledger rebuild"
)
"""What is wrong with a ledger that was lost, and began anew."""


def is_lost(ledger: Ledger) -> bool:
    """True if a ledger knows no instance though files of some lie in its storage folder.

    Raises:
        StorageUnavailableError: the ledger cannot be read.
    """
    with ledger.reading() as connection:  # not counted: there may be millions
        knows_one = connection.execute(select(instances.c.id).limit(1)).first() is not None
    return not knows_one and has_instances(ledger.storage_path)


def has_instances(storage_path: Path) -> bool:
    """True if files of instances lie in a storage folder."""
    return next(StorageLayout(storage_path).instances.glob("*/*/*.dcm"), None) is not None


def rebuild(configuration: Configuration) -> Rebuilt:
    """Make the ledger of a storage folder again, which is lost or knows no instance.

    Raises:
        ConfigurationError: a node uses the folder, or its ledger knows instances.
        StorageUnavailableError: the ledger cannot be written, or is of another version or folder.
        OSError: a log or folder cannot be read.
    """
    storage_path = configuration.storage_path
    if not storage_path.is_dir():
        raise ConfigurationError(f"--storage_path is {storage_path}, expected a node's folder")
    lock = StorageLock(storage_path)
    try:
        ledger = open_ledger(storage_path, database_url=configuration.plain_database_url)
        try:
            return _rebuild(configuration, ledger)
        finally:
            ledger.close()
    finally:
        lock.release()


def _rebuild(configuration: Configuration, ledger: Ledger) -> Rebuilt:
    known = _count(ledger)
    if known:
        raise ConfigurationError(
            f"The ledger knows {known} instances and is not lost: nothing was changed. To make it "
            "again all the same, move it away first"
        )
    storage_path = configuration.storage_path
    file_logged_instances(storage_path)
    by_series = _read(configuration)
    for uid, found in by_series.items():
        for begin in range(0, len(found), _AT_ONCE):
            with ledger.writing() as connection:
                _record_series(connection, uid, found[begin : begin + _AT_ONCE])
    jobs = _record_jobs(ledger, storage_path, by_series)
    return Rebuilt(len(by_series), sum(map(len, by_series.values())), jobs)


def _count(ledger: Ledger) -> int:
    with ledger.reading() as connection:
        return connection.scalar(select(func.count()).select_from(instances)) or 0


_Found = list[tuple[StoredInstance, float]]


def _read(configuration: Configuration) -> dict[str, _Found]:
    by_series: defaultdict[str, _Found] = defaultdict(list)
    bounds = DataSetBounds.of(configuration.wire)
    for one in stored_instances(configuration.storage_path, bounds, configuration.root_uid):
        by_series[one[0].series_instance_uid].append(one)
    first = {uid: min(at for _, at in found) for uid, found in by_series.items()}
    return {uid: by_series[uid] for uid in sorted(by_series, key=first.__getitem__)}


def _record_series(connection: Connection, uid: str, found: _Found) -> None:
    sender, first_at = Sender.unknown(), found[0][1]
    association = open_association(connection, sender, first_at)
    close_association(connection, association, RELEASED, first_at)
    for instance, at in found:
        record_reception(connection, association, record_instance(connection, instance, at))
    of_series = select(series.c.series_instance_uid).where(series.c.series_instance_uid == uid)
    if connection.execute(of_series).first() is not None:
        return
    connection.execute(
        insert(series).values(
            series_instance_uid=uid,
            study_instance_uid=found[0][0].study_instance_uid,
            calling_ae_title=sender.calling_ae_title,
            called_ae_title=sender.called_ae_title,
            address=sender.address,
            state=SeriesState.KEPT,
            reason=UNKNOWN_SENDER,
            released_by_person=False,
            first_at=min(at for _, at in found),
            last_at=max(at for _, at in found),
        )
    )
    words, now = UNKNOWN_SENDER, time.time()
    record_event(connection, EventKind.KEPT, words, now=now, series_instance_uid=uid)


def _record_jobs(ledger: Ledger, storage_path: Path, by_series: dict[str, _Found]) -> int:
    known = {uid: [one for one, _ in found] for uid, found in by_series.items()}
    count = 0
    for request, result, at in finished_jobs(storage_path, known):
        with ledger.writing() as connection:
            create_job(connection, request, (), request.created.timestamp())
            finish_job(connection, request.job_id, result, at)
        count += 1
    return count
