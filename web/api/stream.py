"""Live updates as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger
from web.api.refusals import REFUSALS
from web.auth.access import Viewer, is_still
from web.dependencies import LedgerOf, SettingsOf
from web.live import Activity, activity, last_event, new_events

router = APIRouter(prefix="/api", tags=["ledger"], responses=REFUSALS)

_EVERY_S = 0.5
_SILENT_S = 15.0
_LONGEST_S = 600.0  # then the browser reconnects, and its session is checked again
_LARGEST = 2**31 - 1


@router.get(
    "/events/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream(
    *,
    request: Request,
    person: Viewer,
    ledger: LedgerOf,
    settings: SettingsOf,
    after: Annotated[
        int | None,
        Query(ge=0, le=_LARGEST, description="id of the last event that is known already"),
    ] = None,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> StreamingResponse:
    """Stream `event: happening` for each new event, `event: activity` when the activity changes.

    Ends within a second after the person signed out, was removed or got another password.
    A browser that was disconnected reconnects with Last-Event-ID and misses no event.
    """
    with _taken(request.app.state.streams, settings.configuration.web.limits.streams) as place:
        if last_event_id.isdecimal():
            after = min(int(last_event_id), _LARGEST)
        if after is None:
            after = await run_in_threadpool(last_event, ledger)
        updates = _updates(ledger, after, lambda: is_still(request, person))
        return _Stream(updates, place.pop_all())


class _Stream(StreamingResponse):
    """An open stream, which holds its place until it has ended, however that comes about."""

    def __init__(self, updates: AsyncIterator[str], place: ExitStack) -> None:
        super().__init__(updates, media_type="text/event-stream")
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            await super().__call__(scope, receive, send)


def _taken(open_streams: set[object], most: int) -> ExitStack:
    """Take one of the places for streams at once; the stack gives it back.

    Raises:
        HTTPException: 503, all places are taken.
    """
    if len(open_streams) >= most:
        raise HTTPException(503, "too many open streams of live updates")
    token, place = object(), ExitStack()
    open_streams.add(token)
    place.callback(open_streams.discard, token)
    return place


async def _updates(ledger: Ledger, after: int, may_see: Callable[[], bool]) -> AsyncIterator[str]:
    end, shown, silent_s = time.monotonic() + _LONGEST_S, None, 0.0
    yield "retry: 2000\n\n"
    while time.monotonic() < end and await run_in_threadpool(may_see):
        found, now = await run_in_threadpool(_read_updates, ledger, after)
        for one in found:
            after = one["id"]
            yield _message("happening", one, number=after)
        if now is not None and now != shown:
            shown = now
            yield _message("activity", now.as_json())
        silent_s = 0.0 if found else silent_s + _EVERY_S
        if silent_s >= _SILENT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(_EVERY_S)


def _read_updates(ledger: Ledger, after: int) -> tuple[list[dict[str, Any]], Activity | None]:
    """New events and the present activity; nothing while the ledger cannot be read."""
    try:
        return new_events(ledger, after), activity(ledger)
    except StorageUnavailableError:
        return [], None


def _message(kind: str, values: dict[str, Any], number: int | None = None) -> str:
    key = "" if number is None else f"id: {number}\n"
    return f"{key}event: {kind}\ndata: {json.dumps(values)}\n\n"
