"""A file on its way to a person, which is cut off when the person may not have it any more."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import structlog
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.types import Send

_LOOK_EVERY_S = 0.5

log = structlog.get_logger("web")


class Download(StreamingResponse):
    """Parts of a file; the connection ends within them if the right to have it does.

    So the client sees that the file is not whole, which an answer that ends in order would hide.
    """

    def __init__(
        self, parts: Iterator[bytes], may_have: Callable[[], bool], *, name: str, media_type: str
    ) -> None:
        """`may_have` is asked again and again; `name` is what the file is called there."""
        headers = {"content-disposition": f"attachment; filename={name}"}
        super().__init__(_parts(parts, may_have), media_type=media_type, headers=headers)

    async def stream_response(self, send: Send) -> None:
        """Send the parts; without an end, which makes the server close, if they are cut off."""
        with suppress(_CutOffError):
            await super().stream_response(send)


class _CutOffError(Exception):
    """The right to have the file ended."""


async def _parts(parts: Iterator[bytes], may_have: Callable[[], bool]) -> AsyncIterator[bytes]:
    looked_at = time.monotonic()
    async for part in iterate_in_threadpool(parts):
        if time.monotonic() - looked_at >= _LOOK_EVERY_S:
            if not await run_in_threadpool(may_have):
                log.info("download cut off", reason="the person signed out or lost the right to it")
                raise _CutOffError
            looked_at = time.monotonic()
        yield part
