"""Whole PDUs off a connection, read ahead into one buffer and given away without a copy."""

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from core.errors import BoundError

HEADER_BYTES = 6
_FIRST_BYTES = 16_384
NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux


def claimed_bytes(header: bytes | bytearray | memoryview, longest: Mapping[int, int]) -> int:
    """The length of a PDU's variable field; raises BoundError where it is not to be read."""
    kind, length = header[0], int.from_bytes(header[2:], "big")
    if kind not in longest:
        raise BoundError(f"PDU of unknown type 0x{kind:02X}")
    if length > longest[kind]:
        raise BoundError(
            f"PDU of type 0x{kind:02X} claims {length} bytes, at most {longest[kind]} are read"
        )
    return length


class Wake:
    """Wakes the thread that waits in `PduReader.next`; safe to call from any thread."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._closed = False
        self._lock = threading.Lock()  # a closed descriptor's number may be another's at once

    def __call__(self) -> None:
        """Wake it, or let it not sleep the next time."""
        with self._lock, suppress(OSError):  # full: it wakes anyway
            if not self._closed:
                os.write(self._writing, b"\x00")

    def fileno(self) -> int:
        """For poll()."""
        return self._reading

    def drain(self) -> None:
        """What woke it is seen to."""
        with suppress(OSError):
            os.read(self._reading, 4096)

    def close(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._reading)
                os.close(self._writing)


class PduReader:
    """The PDUs of one connection (PS3.8 section 9.3), none longer or slower than allowed."""

    def __init__(
        self,
        connection: socket.socket,
        longest: Mapping[int, int],
        *,
        timeout_s: float,
        wake: Wake | None = None,
    ) -> None:
        """`longest` is the variable field in bytes by type, `timeout_s` for a whole PDU."""
        self._connection = connection
        self._longest = longest
        self._timeout_s = timeout_s
        self._wake = wake
        self._buffer = memoryview(bytearray(_FIRST_BYTES))
        self._begin = self._end = 0
        self._poll = select.poll()  # select() knows no descriptor above 1023
        self._poll.register(connection, select.POLLIN)
        self._poll_both = select.poll()
        self._poll_both.register(connection, select.POLLIN)
        if wake is not None:
            self._poll_both.register(wake, select.POLLIN)

    @property
    def ready(self) -> bool:
        """Whether there is something to read, an end included; raises OSError or ValueError."""
        connection = self._connection
        if self._begin < self._end:
            return True
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        return bool(self._poll.poll(0))

    @property
    def has_part(self) -> bool:
        """Whether a PDU has begun that was not given away."""
        return self._begin < self._end

    def next(self, wait_s: float = 0.0) -> memoryview | None:
        """The next PDU, valid until the next call; None where nothing of it came in time.

        Raises:
            BoundError: it is of no known type, too long or too slow.
            OSError: the connection is lost.
        """
        if self._begin == self._end:
            self._begin = self._end = 0
            if not self._receive(self._poll_both, wait_s):
                return None
        deadline = time.monotonic() + self._timeout_s
        self._fill(HEADER_BYTES, deadline)
        header = self._buffer[self._begin : self._begin + HEADER_BYTES]
        size = HEADER_BYTES + claimed_bytes(header, self._longest)
        self._fill(size, deadline)
        self._begin += size
        return self._buffer[self._begin - size : self._begin]

    def _fill(self, size: int, deadline: float) -> None:
        """Until `size` bytes of the PDU are here; nothing is allocated before it is allowed."""
        if self._end - self._begin >= size:
            return
        if self._begin + size > len(self._buffer):
            self._make_room(size)
        while self._end - self._begin < size:
            left = deadline - time.monotonic()
            if left <= 0 or not self._receive(self._poll, left):
                raise BoundError("a PDU was not whole in time")

    def _make_room(self, size: int) -> None:
        """Twice a PDU, so that what follows it is read with it."""
        left = self._buffer[self._begin : self._end]
        if size > len(self._buffer):
            self._buffer = memoryview(bytearray(2 * size))
        self._buffer[: len(left)] = left
        self._begin, self._end = 0, len(left)

    def _receive(self, poll: "select.poll", wait_s: float) -> bool:
        """Whether something came; what is there is read without asking first."""
        if self._connection.gettimeout() != 0:
            self._connection.settimeout(0)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                count = self._connection.recv_into(self._buffer[self._end :])
            except NOTHING_YET:
                left = deadline - time.monotonic()
                if left <= 0 or not self._wait(poll, left):
                    return False
                continue
            if not count:
                raise ConnectionResetError("closed by the peer")
            self._end += count
            return True

    def _wait(self, poll: "select.poll", seconds: float) -> bool:
        """Whether the connection may have something.

        A sender with Nagle's algorithm waits for our acknowledgement of the first part of a
        message before it sends the second, and ours would wait for an answer to send along.
        """
        if _QUICK_ACK is not None:
            with suppress(OSError):
                self._connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        woken = poll.poll(max(1, int(seconds * 1000)))
        if self._wake is not None and any(one == self._wake.fileno() for one, _ in woken):
            self._wake.drain()
            return False
        return bool(woken)
