"""What a peer says on an association that we asked for, PDU by PDU (PS3.8 section 9.3)."""

import select
import socket
import ssl
import struct
import time

from core.errors import SendError

_HEADER = struct.Struct(">BBL")
_LONGEST_PDU_BYTES = 262_144
_RECEIVED_BYTES = 65_536


class PduReader:
    """Reads ahead as much as has come; nothing is waited for beyond the deadlines it is given."""

    def __init__(self, connection: socket.socket, peer: str, limit_s: float) -> None:
        """`peer` and `limit_s` are for the words of errors."""
        self._connection = connection
        self._peer = peer
        self._limit_s = limit_s
        self._received = bytearray()

    def has_something(self) -> bool:
        """Whether anything has come that was not taken yet, the end of the connection included."""
        if self._received:
            return True
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return True
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(0))

    def next(self, deadline: float) -> tuple[int, bytes]:
        """Type and variable field of the next PDU.

        Raises:
            SendError: it is not here by `deadline` (monotonic seconds), is too long, or the
                connection has ended.
        """
        self._check_in_time(deadline)  # what has come already is no reason to go on for ever
        self._receive(_HEADER.size, deadline)
        kind, _, length = _HEADER.unpack_from(self._received)
        if length > _LONGEST_PDU_BYTES:
            raise SendError(
                f"{self._peer} broke the protocol: PDU of type 0x{kind:02X} claims {length} bytes, "
                f"at most {_LONGEST_PDU_BYTES} are read"
            )
        end = _HEADER.size + length
        self._receive(end, deadline)
        content = bytes(self._received[_HEADER.size : end])
        del self._received[:end]
        return kind, content

    def _receive(self, count: int, deadline: float) -> None:
        """Until `count` bytes are here."""
        while len(self._received) < count:
            self._check_in_time(deadline)
            try:
                self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
                _acknowledge_at_once(self._connection)
                more = self._connection.recv(_RECEIVED_BYTES)
            except TimeoutError as error:
                raise self._too_late() from error
            except OSError as error:
                raise SendError(f"{self._peer} closed the connection") from error
            if not more:
                raise SendError(f"{self._peer} closed the connection")
            self._received += more

    def _check_in_time(self, deadline: float) -> None:
        if time.monotonic() >= deadline:
            raise self._too_late()

    def _too_late(self) -> SendError:
        return SendError(f"{self._peer} did not answer within {self._limit_s:g} s")


def _acknowledge_at_once(connection: socket.socket) -> None:
    """A peer that writes its answer in two parts waits for our acknowledgement of the first."""
    if hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
