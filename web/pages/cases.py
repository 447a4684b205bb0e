"""The list of cases: search, filters, page by page."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from node.ledger.views.states import CaseState
from web.cases.cases import Search
from web.pages.page_context import PageContextOf

router = APIRouter()
_PAGE = 50
STATES = tuple(CaseState)
"""States to filter the list by; `failed` also finds cases that were not delivered."""


@router.get("/cases")
def show_cases(
    context: PageContextOf,
    *,
    state: Annotated[str, Query(max_length=16)] = "",
    text: Annotated[str, Query(max_length=64)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:
    """List cases, the latest first; patients are no search terms, since searches stand in URLs."""
    state = state if state in STATES else ""
    search = Search(
        state, text.replace("\0", "").strip(), _begin_of(since), _begin_of(until, days=1)
    )
    found = context.resources.cases.latest(search, limit=_PAGE + 1, skip=(page - 1) * _PAGE)
    asked = {"state": state, "text": text, "since": since, "until": until}
    return context.render(
        "cases.html",
        cases=found[:_PAGE],
        has_more=len(found) > _PAGE,
        page=page,
        states=STATES,
        asked=asked,
        given={key: value for key, value in asked.items() if value},
    )


def _begin_of(text: str, days: int = 0) -> float | None:
    """The local midnight that begins an ISO date plus `days`, in seconds; None for another text."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return datetime.combine(day, time()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        return None
