"""The page of the log: events of the node and of people."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from node.ledger.database import Ledger
from node.ledger.schema import events
from node.ledger.tables.case_numbers import case_numbers
from web.pages.page_context import PageContextOf

router = APIRouter()
_PAGE = 100
_LARGEST = 2**31 - 1


@router.get("/log")
def show_log(
    context: PageContextOf,
    *,
    kind: Annotated[str, Query(max_length=32)] = "",
    before: Annotated[int, Query(ge=1, le=_LARGEST)] = _LARGEST,
) -> HTMLResponse:
    """List events, the latest first, 100 a page."""
    rows, numbers = _events(context.resources.ledger, kind.replace("\0", ""), before)
    return context.render(
        "log.html",
        events=rows[:_PAGE],
        next_before=rows[_PAGE - 1]["id"] if len(rows) > _PAGE else None,
        is_first=before == _LARGEST,
        kinds=context.resources.event_kinds.all(),
        kind=kind,
        numbers=numbers,
    )


def _events(
    ledger: Ledger, kind: str, before: int
) -> tuple[list[dict[str, object]], dict[str, int]]:
    query = select(events).where(events.c.id < before)
    if kind:
        query = query.where(events.c.kind == kind)
    with ledger.reading() as connection:
        found = connection.execute(query.order_by(events.c.id.desc()).limit(_PAGE + 1)).all()
        numbers = case_numbers(connection, [row.series_instance_uid for row in found])
    return [dict(row._mapping) for row in found], numbers
