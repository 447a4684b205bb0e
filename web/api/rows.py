"""Series, jobs, deliveries and events of the ledger, page by page."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel

from web.api.refusals import REFUSALS
from web.auth.access import Viewer
from web.dependencies import LedgerOf
from web.ledger_pages import (
    Rows,
    delivery_rows,
    event_rows,
    job_rows,
    series_rows,
    uid_of_case,
)
from web.paging import Page, Window, WindowOf, at

router = APIRouter(prefix="/api", tags=["ledger"], responses=REFUSALS)

State = Annotated[str, Query(max_length=16)]
Item = TypeVar("Item", bound=BaseModel)
SeriesUid = Annotated[str, Query(max_length=64, description="or the number of the case")]


class SeriesOfLedger(BaseModel):
    """A series as the ledger records it."""

    series_instance_uid: str
    study_instance_uid: str
    state: str
    reason: str
    calling_ae_title: str
    called_ae_title: str
    address: str
    first_at: datetime | None
    last_at: datetime | None
    expected: int | None
    """Number of instances that the sender states; null if unknown."""
    instances: int
    size_bytes: int


class JobOfLedger(BaseModel):
    """A job as the ledger records it."""

    job_id: str
    series_instance_uid: str
    pipeline: str
    state: str
    reason: str
    progress: float
    step: str
    attempts: int
    revision: int
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    removed_at: datetime | None


class DeliveryOfLedger(BaseModel):
    """Delivery of one instance to one peer."""

    id: int
    job_id: str
    peer: str
    ae_title: str
    sop_instance_uid: str
    state: str
    words: str
    attempts: int
    created_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
    confirmed_at: datetime | None


class EventOfLedger(BaseModel):
    """An event of the log."""

    id: int
    at: datetime | None
    kind: str
    series_instance_uid: str
    words: str


@router.get("/series")
def all_series(
    _: Viewer, ledger: LedgerOf, window: WindowOf, state: State = ""
) -> Page[SeriesOfLedger]:
    """List series, the latest first."""
    rows = series_rows(ledger, window, state)
    return _page(SeriesOfLedger, window, rows, "last_at", "series_instance_uid")


@router.get("/jobs")
def all_jobs(
    _: Viewer,
    ledger: LedgerOf,
    window: WindowOf,
    state: State = "",
    series_instance_uid: SeriesUid = "",
) -> Page[JobOfLedger]:
    """List jobs, the latest first."""
    rows = job_rows(ledger, window, state, uid_of_case(ledger, series_instance_uid))
    return _page(JobOfLedger, window, rows, "created_at", "job_id")


@router.get("/deliveries")
def all_deliveries(
    _: Viewer,
    ledger: LedgerOf,
    window: WindowOf,
    state: State = "",
    peer: Annotated[str, Query(max_length=64)] = "",
) -> Page[DeliveryOfLedger]:
    """List deliveries, one for each instance and peer, the latest first."""
    return _page(DeliveryOfLedger, window, delivery_rows(ledger, window, state, peer), "id")


@router.get("/events")
def all_events(
    _: Viewer,
    ledger: LedgerOf,
    window: WindowOf,
    kind: Annotated[str, Query(max_length=32)] = "",
    series_instance_uid: SeriesUid = "",
) -> Page[EventOfLedger]:
    """List events, the latest first."""
    rows = event_rows(ledger, window, kind, uid_of_case(ledger, series_instance_uid))
    return _page(EventOfLedger, window, rows, "id")


def _page(kind: type[Item], window: Window, rows: Rows, *key: str) -> Page[Item]:
    items = [kind.model_validate(_values(kind, row)) for row in rows]
    last = [getattr(rows[-1], name) for name in key] if rows else []
    return window.page(items, *last)


def _values(kind: type[BaseModel], row: Any) -> dict[str, Any]:
    return {
        name: at(getattr(row, name)) if name == "at" or name.endswith("_at") else getattr(row, name)
        for name in kind.model_fields
    }
