"""`POST /job/` and `GET /query/UID`: run a named pipeline on a folder of this machine."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.datastructures import MutableHeaders

from core.config.settings import Configuration
from core.config.values import PIPELINE_ALIASES
from core.errors import RequestedJobError
from core.folders import folder_below
from node.ledger.requests.requested_jobs import IN_DIR, JobDescription, request_job
from web.api.job_status import COMPLETED, HELD_BACK, NOT_DONE, REMOVED, job_status_of
from web.api.refusals import REFUSALS
from web.auth.access import Operator, Person, Viewer
from web.dependencies import LedgerOf, SettingsOf


class JsonByDefault(APIRoute):
    """A route whose body is JSON without a Content-Type too, and under that of `curl --data`.

    Another type stays what it says. Posts of other sites' pages are refused before (guard.py).
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's function, which reads such a body as JSON."""
        answer = super().get_route_handler()

        async def with_type(request: Request) -> Response:
            headers = MutableHeaders(scope=request.scope)
            if headers.get("content-type", "").partition(";")[0].strip().lower() in _UNSAID:
                headers["content-type"] = "application/json"
            return await answer(Request(request.scope, request.receive))

        return with_type


router = APIRouter(tags=["jobs by name"], route_class=JsonByDefault)

_UNSAID = ("", "application/x-www-form-urlencoded")
_STATUS = {COMPLETED: 200, HELD_BACK: 409, NOT_DONE: 422, REMOVED: 410}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "running"},
    409: {"description": "held: a person has to decide, `reason` says on what"},
    410: {"description": "completed, and its results were removed since"},
}
Uid = Annotated[str, Field(pattern=r"^[0-9.]{1,64}$")]


class JobByName(BaseModel, extra="forbid"):
    """A request for a job: the pipeline and the folder."""

    job_name: Annotated[str, Field(max_length=64, examples=["3dblur"])]
    """Name of a pipeline of the configuration; `3dblur` stands for `blur`."""
    in_dir: Annotated[str, Field(max_length=1024, examples=["dicom_data"])]
    """A folder below the configuration's `web.in_dir_root`."""
    series_instance_uid: Uid | None = None
    """The wanted series; needed if the folder has several."""
    destinations: Annotated[tuple[str, ...], Field(max_length=16)] = ()
    """Names of peers that get the results; none: the results stay on this machine."""


class Placed(BaseModel):
    """The `uid` under which `GET /query/UID` reports on the job."""

    uid: str


class Answer(BaseModel):
    """Status of a requested job."""

    msg: str
    state: str = ""
    """One of running, completed, held, failed and removed."""
    reason: str = ""
    progress: float = 0.0
    """Fraction done, from 0 to 1."""
    output_dir: str | None = None
    series_instance_uid: str = ""
    job_id: str = ""


@router.post("/job", status_code=201, include_in_schema=False)
@router.post("/job/", status_code=201, responses=REFUSALS)
def post_job(body: JobByName, person: Operator, ledger: LedgerOf, settings: SettingsOf) -> Placed:
    """Request a job on a folder; the node reads the files and checks them like those of a peer.

    A folder with several series is refused unless `series_instance_uid` names one.
    """
    configuration = settings.configuration
    pipeline = known_pipeline(configuration, body.job_name)
    known = {peer.name for peer in configuration.peers}
    for name in body.destinations:
        if name not in known:
            raise HTTPException(400, "destinations: expected names of configured peers")
    try:
        folder = folder_below(configuration.web.in_dir_root, body.in_dir)
    except RequestedJobError as error:
        raise HTTPException(400, str(error)) from error
    storage = configuration.storage_path.resolve()
    if storage == folder or storage in folder.parents or folder in storage.parents:
        raise HTTPException(400, "in_dir: expected a folder beside the storage folder")
    return record_request(
        ledger,
        person,
        JobDescription(
            pipeline=pipeline,
            root=IN_DIR,
            folder=str(folder),
            wanted=body.series_instance_uid or "",
            destinations=body.destinations,
        ),
    )


@router.get("/query/{uid}", responses=REFUSALS | _ANSWERS)
def query(uid: str, _: Viewer, ledger: LedgerOf, response: Response) -> Answer:
    """Status of a job: 200 completed, 202 running, 409 held, 422 failed, 410 removed since."""
    status = job_status_of(ledger, uid)
    if status is None:
        raise HTTPException(404, "no job has this uid")
    response.status_code = _STATUS.get(status.state, 202)
    return Answer(
        msg=f"Job {_VERBS.get(status.state, 'is running')}",
        state=status.state,
        reason=status.words,
        progress=1.0 if status.state == COMPLETED else status.progress,
        output_dir=status.output_dir or None,
        series_instance_uid=status.series_instance_uid,
        job_id=status.job_id,
    )


_VERBS = {
    COMPLETED: "has completed",
    HELD_BACK: "is held",
    NOT_DONE: "has failed",
    REMOVED: "has completed",
}


def known_pipeline(configuration: Configuration, name: str) -> str:
    """Resolve a pipeline's name or alias to its name in the configuration.

    Raises:
        HTTPException: 400, no pipeline has this name; the message lists the known names.
    """
    pipeline = PIPELINE_ALIASES.get(name, name)
    if pipeline not in configuration.pipelines:
        known = ", ".join(sorted({*configuration.pipelines, *PIPELINE_ALIASES}))
        raise HTTPException(400, f"job_name: expected one of {known}")
    return pipeline


def record_request(
    ledger: LedgerOf, person: Person, asked: JobDescription, uid: str = ""
) -> Placed:
    """Record a requested job under the person's name; the running node takes it up."""
    asked = replace(asked, person=person.name, address=person.address)
    with ledger.writing() as connection:
        return Placed(uid=request_job(connection, asked, ledger.clock(), uid))
