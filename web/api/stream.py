"""Live updates as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger
from web.api.refusals import REFUSALS
from web.auth.access import Viewer
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
    _: Viewer,
    ledger: LedgerOf,
    settings: SettingsOf,
    after: Annotated[
        int | None,
        Query(ge=0, le=_LARGEST, description="id of the last event that is known already"),
    ] = None,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> StreamingResponse:
    """Stream `event: happening` for each new event, `event: activity` when the activity changes.

    A browser that was disconnected reconnects with Last-Event-ID and misses no event.
    """
    open_streams: set[object] = request.app.state.streams
    if len(open_streams) >= settings.configuration.web.limits.streams:
        raise HTTPException(503, "too many open streams of live updates")
    if last_event_id.isdecimal():
        after = min(int(last_event_id), _LARGEST)
    if after is None:
        after = await run_in_threadpool(last_event, ledger)
    return StreamingResponse(_updates(open_streams, ledger, after), media_type="text/event-stream")


async def _updates(open_streams: set[object], ledger: Ledger, after: int) -> AsyncIterator[str]:
    token, end = object(), time.monotonic() + _LONGEST_S
    open_streams.add(token)
    shown: Activity | None = None
    silent_s = 0.0
    try:
        yield "retry: 2000\n\n"
        while time.monotonic() < end:
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
    finally:
        open_streams.discard(token)


def _read_updates(ledger: Ledger, after: int) -> tuple[list[dict[str, Any]], Activity | None]:
    """New events and the present activity; nothing while the ledger cannot be read."""
    try:
        return new_events(ledger, after), activity(ledger)
    except StorageUnavailableError:
        return [], None


def _message(kind: str, values: dict[str, Any], number: int | None = None) -> str:
    key = "" if number is None else f"id: {number}\n"
    return f"{key}event: {kind}\ndata: {json.dumps(values)}\n\n"
