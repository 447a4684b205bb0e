"""Turns to check a password: one at a time for each client, and few at once for all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.errors import SlicewireError

_AT_ONCE = 2
"""Each takes 64 MB and up to four cores for a moment (RFC 9106, section 4)."""
_MOST_OF_A_CLIENT = 64
_MOST_WAITING = 256
_WITHIN_S = 45.0


class BusyError(SlicewireError):
    """Too many passwords wait to be checked."""


class Turns:
    """Turns of requests that check a password, in the event loop of one application."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._of_client: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def take(self, client: str) -> AsyncIterator[None]:
        """Hold a turn; a client's next request waits for its own turn, and for no other client's.

        Raises:
            BusyError: too many requests wait, of this client or together, or for too long.
        """
        if self._waiting[client] >= _MOST_OF_A_CLIENT or self._waiting.total() >= _MOST_WAITING:
            raise BusyError("too many people sign in at this moment: try again")
        self._waiting[client] += 1
        own = self._of_client.setdefault(client, asyncio.Lock())
        try:
            await self._acquire(own)
            try:
                yield
            finally:
                self._free.release()
                own.release()
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client], self._of_client[client]

    async def _acquire(self, own: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(_WITHIN_S):
                await own.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    own.release()
                    raise
        except TimeoutError as error:
            raise BusyError("too many people sign in at this moment: try again") from error
