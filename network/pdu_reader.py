"""Whole PDUs off a connection, read ahead into one buffer and given away without a copy."""

import select
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress

from core.errors import BoundError
from network.pdus import HEADER_BYTES

NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_FIRST_BYTES = 16_384
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux


class PduReader:
    """The PDUs of one connection (PS3.8 section 9.3), none longer or slower than allowed."""

    def __init__(
        self, connection: socket.socket, longest: Mapping[int, int], *, timeout_s: float
    ) -> None:
        """`longest` is the variable field in bytes by type, `timeout_s` for a whole PDU."""
        self._connection = connection
        self._buffer = memoryview(bytearray(_FIRST_BYTES))
        self._begin = self._end = 0
        self._poll = select.poll()  # select() knows no descriptor above 1023
        self._poll.register(connection, select.POLLIN)
        self.allow(longest, timeout_s=timeout_s)

    def allow(self, longest: Mapping[int, int], *, timeout_s: float) -> None:
        """Set other bounds for what is read from here on."""
        self._longest = longest
        self._timeout_s = timeout_s

    @property
    def has_part(self) -> bool:
        """Whether a PDU has begun that was not given away."""
        return self._begin < self._end

    def next(self, wait_s: float = 0.0, *, within_s: float | None = None) -> memoryview | None:
        """The next PDU, valid until the next call; None where nothing of it came in `wait_s`.

        Args:
            wait_s: for its first byte.
            within_s: for all of it, from now on; `timeout_s` from its first byte when not given.

        Raises:
            BoundError: it is of no known type, too long or too slow.
            OSError: the connection is lost.
        """
        whole_by = None if within_s is None else time.monotonic() + within_s
        if self._begin == self._end:
            self._begin = self._end = 0
            if not self._receive(wait_s):
                return None
        deadline = time.monotonic() + self._timeout_s if whole_by is None else whole_by
        self._fill(HEADER_BYTES, deadline)
        size = HEADER_BYTES + self._claimed_bytes()
        self._fill(size, deadline)
        self._begin += size
        return self._buffer[self._begin - size : self._begin]

    def _claimed_bytes(self) -> int:
        """The length of a PDU's variable field; raises BoundError where it is not to be read."""
        header = self._buffer[self._begin : self._begin + HEADER_BYTES]
        kind, length = header[0], int.from_bytes(header[2:], "big")
        if kind not in self._longest:
            raise BoundError(f"PDU of unknown type 0x{kind:02X}")
        most = self._longest[kind]
        if length > most:
            raise BoundError(
                f"PDU of type 0x{kind:02X} claims {length} bytes, at most {most} are read"
            )
        return length

    def _fill(self, size: int, deadline: float) -> None:
        """Until `size` bytes of the PDU are here; nothing is allocated before it is allowed."""
        if self._end - self._begin >= size:
            return
        if self._begin + size > len(self._buffer):
            self._make_room(size)
        while self._end - self._begin < size:
            left = deadline - time.monotonic()
            if left <= 0 or not self._receive(left):
                raise BoundError("a PDU was not whole in time")

    def _make_room(self, size: int) -> None:
        """Twice a PDU, so that what follows it is read with it."""
        left = self._buffer[self._begin : self._end]
        if size > len(self._buffer):
            self._buffer = memoryview(bytearray(2 * size))
        self._buffer[: len(left)] = left
        self._begin, self._end = 0, len(left)

    def _receive(self, wait_s: float) -> bool:
        """Whether something came; what is there is read without asking first."""
        if self._connection.gettimeout() != 0:
            self._connection.settimeout(0)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                count = self._connection.recv_into(self._buffer[self._end :])
            except NOTHING_YET:
                left = deadline - time.monotonic()
                if left <= 0 or not self._wait(left):
                    return False
                continue
            if not count:
                raise ConnectionResetError("closed by the peer")
            self._end += count
            return True

    def _wait(self, seconds: float) -> bool:
        """Whether the connection may have something.

        A sender with Nagle's algorithm waits for our acknowledgement of the first part of a
        message before it sends the second, and ours would wait for an answer to send along.
        """
        if _QUICK_ACK is not None:
            with suppress(OSError):
                self._connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        return bool(self._poll.poll(max(1, int(seconds * 1000))))
