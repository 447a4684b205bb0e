"""The list of cases: search, filters, page by page."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse

from node.ledger.views.states import CaseState
from web.cases.cases import Search
from web.cases.search import Found, search_everywhere
from web.pages.page_context import PageContextOf

router = APIRouter()
_PAGE = 50
_OF_A_SEARCH = {"has_more": False, "page": 1, "given": {}}
"""A search has a form in place of addresses of earlier and later pages."""
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
    """List cases, the latest first; `text` does not search for patients, as it is in an address."""
    state = state if state in STATES else ""
    search = Search(
        state, text.replace("\0", "").strip(), _begin_of(since), _begin_of(until, days=1)
    )
    found = context.resources.cases.latest(search, limit=_PAGE + 1, skip=(page - 1) * _PAGE)
    asked = {"state": state, "text": text, "since": since, "until": until}
    return context.render(
        "cases.html",
        found=Found(found[:_PAGE]),
        has_more=len(found) > _PAGE,
        page=page,
        states=STATES,
        asked=asked,
        given={key: value for key, value in asked.items() if value},
    )


@router.post("/cases")
def search_cases(
    context: PageContextOf,
    *,
    state: Annotated[str, Form(max_length=16)] = "",
    text: Annotated[str, Form(max_length=64)] = "",
    since: Annotated[str, Form(max_length=10)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
    before: Annotated[int, Form(ge=0, le=2**31 - 1)] = 0,
) -> HTMLResponse:
    """List the cases that match a text, also in patient, dates and descriptions.

    Posted, so that no address and no browser's history contains what people search for.
    """
    state, text = state if state in STATES else "", text.replace("\0", "").strip()
    search = Search(state, text, _begin_of(since), _begin_of(until, days=1))
    found = search_everywhere(context.resources.cases, search, limit=_PAGE, before=before)
    asked = {"state": state, "text": text, "since": since, "until": until}
    return context.render("cases.html", found=found, states=STATES, asked=asked, **_OF_A_SEARCH)


def _begin_of(text: str, days: int = 0) -> float | None:
    """The local midnight that begins an ISO date plus `days`, in seconds; None for another text."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return datetime.combine(day, time()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        return None
