"""Queue the results of a finished job for its destinations, in the order of sending."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from network.hosts import is_this_machine
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import Destination, JobRow
from node.ledger.row_states import NoticeKind
from node.ledger.tables.deliveries import queue_deliveries
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import uids_by_path
from node.ledger.tables.notices import queue_notice


def queue_results(
    connection: Connection, job: JobRow, *, storage_path: Path, export_series: bool, now: float
) -> int:
    """Queue a finished job's results for its destinations.

    Images are sent first and the structure set last, as the pipeline listed them; with
    `export_series` the imaging series of a structure set is sent before it, unchanged.

    Returns:
        The number of instances for each destination.
    """
    if job.result is None:
        return 0
    request = job.request.located(storage_path)
    folder = Path(request.output_dir).relative_to(storage_path.absolute())
    pending: list[tuple[str, str, str]] = []
    if export_series and job.result.has_structure_set:
        uids = uids_by_path(connection, request.series_instance_uid)
        for path in map(Path, request.instance_paths):
            here = str(path.relative_to(storage_path.absolute()))
            pending.append((here, uids.get(here, path.stem), ""))
    pending += [
        (str(folder / one.path), one.sop_instance_uid, one.sha256) for one in job.result.instances
    ]
    held = _held(job.destinations, job.result.look_first)
    queue_deliveries(connection, job, pending, now, held=held)
    for peer, why in held.items():
        words, uid = f"{peer}: {why}", request.series_instance_uid
        record_event(connection, EventKind.HELD, words, now=now, series_instance_uid=uid)
        queue_notice(
            connection,
            NoticeKind.HELD,
            now=now,
            series_instance_uid=uid,
            job_id=job.job_id,
            words=words,
        )
    return len(pending)


def _held(destinations: Sequence[Destination], why: str) -> dict[str, str]:
    """Reasons by peer why deliveries that leave this machine wait for a person."""
    return {one.peer: why for one in destinations if why and not is_this_machine(one.ip)}
