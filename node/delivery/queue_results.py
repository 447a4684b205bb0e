"""Queue the results of a finished job for its destinations, in the order of sending."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from core.config.settings import Configuration
from network.hosts import is_this_machine
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import Destination, JobRow
from node.ledger.row_states import NoticeKind
from node.ledger.tables.deliveries import FileToSend, queue_deliveries
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import uids_by_path
from node.ledger.tables.notices import queue_notice


def queue_results(
    connection: Connection, job: JobRow, configuration: Configuration, *, now: float
) -> int:
    """Queue a finished job's results for its destinations.

    Returns:
        The number of instances that a destination gets; the largest if they differ.
    """
    if job.result is None:
        return 0
    uid = job.request.series_instance_uid
    files = {
        one.peer: files_for(one.peer, connection, job, configuration) for one in job.destinations
    }
    held = _held(job.destinations, job.result.look_first)
    queue_deliveries(connection, job, files, now, held=held)
    for peer, why in held.items():
        words = f"{peer}: {why}"
        record_event(connection, EventKind.HELD, words, now=now, series_instance_uid=uid)
        queue_notice(
            connection,
            NoticeKind.HELD,
            now=now,
            series_instance_uid=uid,
            job_id=job.job_id,
            words=words,
        )
    return max(map(len, files.values()), default=0)


def files_for(
    peer: str,  # noqa: ARG001 - every peer gets the same files
    connection: Connection,
    job: JobRow,
    configuration: Configuration,
) -> list[FileToSend]:
    """List the files of a finished job that go to `peer`, in sending order.

    Images are sent first and the structure set last, as the pipeline listed them; with
    `export_series` the imaging series of a structure set is sent before it, unchanged.
    """
    if job.result is None:
        return []
    storage_path = configuration.storage_path
    request = job.request.located(storage_path)
    folder = Path(request.output_dir).relative_to(storage_path.absolute())
    files: list[FileToSend] = []
    if configuration.export_series and job.result.has_structure_set:
        uids = uids_by_path(connection, request.series_instance_uid)
        for path in map(Path, request.instance_paths):
            here = str(path.relative_to(storage_path.absolute()))
            files.append((here, uids.get(here, path.stem), ""))
    return files + [
        (str(folder / one.path), one.sop_instance_uid, one.sha256) for one in job.result.instances
    ]


def _held(destinations: Sequence[Destination], why: str) -> dict[str, str]:
    """Reasons by peer why deliveries that leave this machine wait for a person."""
    return {one.peer: why for one in destinations if why and not is_this_machine(one.ip)}
