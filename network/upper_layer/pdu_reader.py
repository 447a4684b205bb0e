"""Read whole PDUs from a connection, ahead into one buffer and without a copy."""

import select
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress

from core.errors import BoundError
from network.upper_layer.pdus import HEADER_BYTES

NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_FIRST_BYTES = 16_384
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux


class PduReader:
    """Reads the PDUs of one connection (PS3.8 9.3), within bounds of length and time."""

    def __init__(
        self, connection: socket.socket, longest: Mapping[int, int], *, timeout_s: float
    ) -> None:
        """`longest` has the allowed PDU types with their longest variable field, in bytes.

        A PDU must be complete within `timeout_s` seconds from its first byte.
        """
        self._connection = connection
        self._buffer = memoryview(bytearray(_FIRST_BYTES))
        self._begin = self._end = 0
        self._poll = select.poll()  # select() knows no descriptor above 1023
        self._poll.register(connection, select.POLLIN)
        self.allow(longest, timeout_s=timeout_s)

    def allow(self, longest: Mapping[int, int], *, timeout_s: float) -> None:
        """Change the bounds for the PDUs that follow."""
        self._longest = longest
        self._timeout_s = timeout_s

    @property
    def has_partial_pdu(self) -> bool:
        """True if bytes of the next PDU have been received."""
        return self._begin < self._end

    def next(self, wait_s: float = 0.0, *, within_s: float | None = None) -> memoryview | None:
        """The next PDU, valid until the next call; None if no byte of it came within `wait_s`.

        Args:
            wait_s: seconds to wait for its first byte.
            within_s: seconds from now until it is complete; if not given, `timeout_s` from its
                first byte.

        Raises:
            BoundError: the PDU is of a type that is not allowed, too long, or too slow.
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
        """Length of the PDU's variable field; raises BoundError if it may not be read."""
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
        """Receive until `size` bytes of the PDU are in the buffer, which grows as needed."""
        if self._end - self._begin >= size:
            return
        if self._begin + size > len(self._buffer):
            self._make_room(size)
        while self._end - self._begin < size:
            left = deadline - time.monotonic()
            if left <= 0 or not self._receive(left):
                raise BoundError("a PDU was not whole in time")

    def _make_room(self, size: int) -> None:
        """Move the PDU to the front; a new buffer holds two, so that the next is read with it."""
        left = self._buffer[self._begin : self._end]
        if size > len(self._buffer):
            self._buffer = memoryview(bytearray(2 * size))
        self._buffer[: len(left)] = left
        self._begin, self._end = 0, len(left)

    def _receive(self, wait_s: float) -> bool:
        """Receive at least a byte; False if none came in time."""
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
        """Wait until the connection is readable; False if it is not in time.

        Acknowledgements are sent at once: a sender with Nagle's algorithm sends the second part of
        a message only after the first is acknowledged, and the kernel would delay that.
        """
        if _QUICK_ACK is not None:
            with suppress(OSError):
                self._connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        return bool(self._poll.poll(max(1, int(seconds * 1000))))
