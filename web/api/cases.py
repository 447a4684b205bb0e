"""Cases: series with their history, and the commands of operators."""

from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from node.ledger.database import Ledger
from node.ledger.requests.jobs import JobRow, jobs_of
from node.ledger.views.receipts import receipt_of
from node.ledger.views.series_history import SeriesHistory, histories_before, history_of
from node.ledger.views.series_status import RequestStatus
from node.ledger.views.states import CaseState
from web.api.refusals import REFUSALS
from web.auth.access import Viewer
from web.dependencies import LedgerOf
from web.paging import Page, WindowOf, at

router = APIRouter(prefix="/api", tags=["cases"], responses=REFUSALS)


class Case(BaseModel):
    """A series with its state and the reason for it."""

    series_instance_uid: str
    number: int
    """Number of the case, as on the pages; routes take it in place of the UID."""
    sender: str
    instances: int
    last_at: datetime | None
    state: CaseState
    reason: str
    holds: list[str]
    """Codes of the reasons for which the series is held."""
    is_releasable: bool
    """True if a release would let at least one job run."""
    warnings: list[str]
    """Warnings of the latest finished job of each pipeline."""


class Happening(BaseModel):
    """One event of a case's history."""

    at: datetime | None
    kind: str
    words: str


class JobOfRequest(BaseModel):
    """A job as one request sees it: its state and the destinations of this request."""

    job_id: str
    pipeline: str
    rule: str
    """The configuration's rule, such as `rules.0`; empty if the pipeline was named directly."""
    revision: int
    state: CaseState
    reason: str
    destinations: list[str]


class RequestOfCase(BaseModel):
    """A request for jobs on a series: its sender, state and jobs."""

    number: int
    source: str
    """One of `association`, `folder`, `upload` and `person`."""
    calling_ae_title: str
    called_ae_title: str
    address: str
    person: str
    order_uid: str
    created_at: datetime | None
    last_at: datetime | None
    outcome: str
    """How the request's last association ended."""
    state: CaseState
    reason: str
    jobs: list[JobOfRequest]


class JobOfCase(BaseModel):
    """One job of a case."""

    job_id: str
    pipeline: str
    state: str
    reason: str
    progress: float
    step: str
    revision: int
    summary: str
    warnings: list[str]


class WholeCase(Case):
    """A case with its history, requests, jobs and receipt."""

    settled_s: float | None
    """Seconds from the end of the last association to the decision."""
    events: list[Happening]
    requests: list[RequestOfCase]
    """Requests, oldest first."""
    jobs: list[JobOfCase]
    receipt: dict[str, Any] | None
    """For the latest finished job: instances received, made, sent, stored and confirmed."""
    result_folders: list[str]


@router.get("/cases")
def cases(
    _: Viewer,
    ledger: LedgerOf,
    window: WindowOf,
    state: Annotated[str, Query(max_length=16, description="held, failed, sending, ...")] = "",
) -> Page[Case]:
    """List cases, the latest first."""
    before = window.after_time()
    found = histories_before(ledger, window.limit, state, before, since=window.since)
    last = (found[-1].last_at, found[-1].series_instance_uid) if found else (0.0, "")
    return cast(Page[Case], window.page([Case(**_case(one)) for one in found], *last))


@router.get("/cases/{case}")
def whole_case(case: str, _: Viewer, ledger: LedgerOf) -> WholeCase:
    """Show a case by its number or SeriesInstanceUID: events, requests, jobs and receipt."""
    history = history_or_404(ledger, case)
    with ledger.reading() as connection:
        own_jobs = jobs_of(connection, history.series_instance_uid)
    receipt = receipt_of(ledger, history.series_instance_uid)
    return WholeCase(
        **_case(history),
        settled_s=history.settled_s,
        events=[
            Happening(at=at(when), kind=kind, words=words) for when, kind, words in history.events
        ],
        requests=[_request(one) for one in history.requests],
        jobs=[_job(one) for one in own_jobs],
        receipt=None if receipt is None else receipt.fields(),
        result_folders=list(history.result_folders),
    )


def history_or_404(ledger: Ledger, case: str) -> SeriesHistory:
    """Return the history of a case by its number or SeriesInstanceUID.

    Raises:
        HTTPException: 404, there is no such case.
    """
    history = history_of(ledger, case, may_be_end=False)
    if history is None:
        raise HTTPException(404, "no case has this number, and no series this UID")
    return history


def _case(history: SeriesHistory) -> dict[str, Any]:
    values = {name: getattr(history, name) for name in Case.model_fields}
    return values | {"last_at": at(history.last_at)}


def _request(status: RequestStatus) -> RequestOfCase:
    values = status.fields()
    times = {name: at(values[name]) for name in ("created_at", "last_at")}
    return RequestOfCase(**(values | times))


def _job(job: JobRow) -> JobOfCase:
    return JobOfCase(
        job_id=job.job_id,
        pipeline=job.request.pipeline,
        state=job.state,
        reason=job.reason,
        progress=job.progress,
        step=job.step,
        revision=job.request.revision,
        summary="" if job.result is None else job.result.summary,
        warnings=[] if job.result is None else list(job.result.warnings),
    )
