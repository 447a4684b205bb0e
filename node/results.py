"""From a finished job's results to what is sent, and in which order."""

from pathlib import Path

from sqlalchemy import Connection

from node.ledger.deliveries import queue_deliveries
from node.ledger.instances import uids_by_path
from node.ledger.jobs import JobRow

RESULTS_FOLDER = "results"


def queue_results(
    connection: Connection, job: JobRow, *, storage_path: Path, export_series: bool, now: float
) -> int:
    """Queue a finished job's results for its destinations; how many instances each one gets.

    Images go first and the structure set last, as the pipeline listed them; with `export_series`
    the imaging series that a structure set was drawn on goes before it, unchanged.
    """
    if job.result is None:
        return 0
    request = job.request.located(storage_path)
    folder = Path(request.output_dir).relative_to(storage_path.absolute())
    parcels: list[tuple[str, str, str]] = []
    if export_series and job.result.has_structure_set:
        uids = uids_by_path(connection, request.series_instance_uid)
        for path in map(Path, request.instance_paths):
            here = str(path.relative_to(storage_path.absolute()))
            parcels.append((here, uids.get(here, path.stem), ""))
    parcels += [
        (str(folder / one.path), one.sop_instance_uid, one.sha256) for one in job.result.instances
    ]
    queue_deliveries(connection, job, parcels, now)
    return len(parcels)
