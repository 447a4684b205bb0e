"""HTTP connections that end by themselves: silent ones, and the oldest of too many that wait.

uvicorn bounds the pause between two requests alone. A connection that never sends a whole request
head would stay for good, and enough of them would keep everybody else out.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_HEAD_WITHIN_S = 15.0
"""From the connection, or the first byte of a later request, to the whole head."""
_MOST_WAITING = 256


class WaitingLine:
    """Connections without a request at work, the longest waiting first."""

    def __init__(self, most: int = _MOST_WAITING) -> None:
        self._most = most
        self._line: dict[BoundedConnection, None] = {}

    def join(self, connection: "BoundedConnection") -> None:
        """Wait as the last one; of too many the first one is closed."""
        self._line.pop(connection, None)
        self._line[connection] = None
        if len(self._line) > self._most:
            first = next(iter(self._line))
            self.leave(first)
            first.transport.abort()

    def leave(self, connection: "BoundedConnection") -> None:
        """Wait no more."""
        self._line.pop(connection, None)


class BoundedConnection(H11Protocol):
    """HTTP/1.1 connection that is closed unless whole requests arrive in time."""

    def __init__(self, *arguments: Any, line: WaitingLine, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line = line
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Wait for the first request."""
        super().connection_made(transport)
        self._line.join(self)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request; the rest of its head must follow in time."""
        super().data_received(data)
        if self._has_request():
            self._stop_waiting()
        elif not self.transport.is_closing():
            self._expect_head()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self._has_request() and not self.transport.is_closing():
            self._line.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(_HEAD_WITHIN_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        self._line.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded_http() -> type[asyncio.Protocol]:
    """The protocol of one server's connections, which share a waiting line."""
    line = WaitingLine()

    class Connection(BoundedConnection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, line=line, **options)

    return Connection
