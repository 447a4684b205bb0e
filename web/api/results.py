"""A finished job's results as one ZIP file."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from core.folders import files_below
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import find_job
from node.ledger.row_states import JobState
from web.api.refusals import REFUSALS
from web.asking import record_act
from web.auth.access import Viewer, is_still
from web.dependencies import LedgerOf
from web.download import Download
from web.zip_stream import zip_of

router = APIRouter(prefix="/api", tags=["results"], responses=REFUSALS)

_VOLUMES = ".h5"
_MOST_FILES = 100_000


@router.get(
    "/jobs/{job_id}/results.zip",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {}}},
        410: {"description": "the results were removed by retention"},
    },
)
def results(
    *,
    job_id: str,
    request: Request,
    person: Viewer,
    ledger: LedgerOf,
    volume: Annotated[bool, Query(description="true: include the HDF5 volume")] = False,
) -> StreamingResponse:
    """Download a finished job's DICOM files, report and picture; the download is logged.

    It is cut off when the person signs out, is removed or gets another password.
    """
    with ledger.reading() as connection:
        job = find_job(connection, job_id)
    if job is None or job.state != JobState.DONE:
        raise HTTPException(404, "no job of this id has results")
    folder = Path(job.request.located(ledger.storage_path).output_dir)
    if job.removed_at is not None or not folder.is_dir():
        raise HTTPException(410, "the results were removed by retention")
    paths = files_below(folder, most=_MOST_FILES)
    paths = [path for path in paths if volume or path.suffix != _VOLUMES]
    uid = job.request.series_instance_uid
    record_act(
        ledger,
        person,
        EventKind.PERSON_DOWNLOAD,
        f"results of job {job_id[:12]}",
        series_instance_uid=uid,
    )
    return Download(
        zip_of(folder, paths),
        lambda: is_still(request, person),
        name=f"results-{job_id[:12]}.zip",
        media_type="application/zip",
    )
