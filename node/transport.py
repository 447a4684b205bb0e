"""PDUs off a socket: none is read that claims too much or takes too long (PS3.8 section 9.3)."""

import select
import socket
import ssl
import struct
import time
from collections.abc import Mapping
from contextlib import suppress

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

from core.config_wire import Wire
from core.errors import BoundError

ASSOCIATE_RQ, P_DATA, ABORT = 0x01, 0x04, 0x07
_HEADER_BYTES = 6
_FIXED_BYTES = 4  # of A-RELEASE-RQ, A-RELEASE-RP, A-ASSOCIATE-RJ and A-ABORT
_HEADERS_COUNTED_APART = 1024  # some peers do not count them as part of a PDU's maximum length
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def longest_pdus(wire: Wire) -> dict[int, int]:
    """The longest variable field of each type of PDU, in bytes."""
    fixed = dict.fromkeys((0x03, 0x05, 0x06, ABORT), _FIXED_BYTES)
    associate = dict.fromkeys((ASSOCIATE_RQ, 0x02), wire.maximum_request_bytes)
    return {**fixed, **associate, P_DATA: wire.maximum_pdu_bytes + _HEADERS_COUNTED_APART}


def abort_pdu(source: int = 2, reason: int = 0) -> bytes:
    """A-ABORT (PS3.8 section 9.3.8); source 2 is the service provider."""
    return struct.pack(">BBLBBBB", ABORT, 0, 4, 0, 0, source, reason)


def reject_pdu(result: int, source: int, reason: int) -> bytes:
    """A-ASSOCIATE-RJ (PS3.8 section 9.3.4)."""
    return struct.pack(">BBLBBBB", 0x03, 0, 4, 0, result, source, reason)


def end_connection(connection: socket.socket) -> None:
    """Close it, whatever state it is in."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()


def read_pdu(
    connection: socket.socket,
    longest: Mapping[int, int],
    *,
    deadline: float,
    begun: bytes = b"",
) -> bytearray:
    """A whole PDU, of which the bytes `begun` are here; nothing is allocated before it is allowed.

    Args:
        connection: its time limit is changed.
        longest: variable field in bytes, by the type of PDU.
        deadline: monotonic seconds.
        begun: at most a PDU's header.

    Raises:
        BoundError: its type is unknown, it is too long, or it is not here by `deadline`.
        OSError: the connection is lost.
    """
    header = bytearray(_HEADER_BYTES)
    header[: len(begun)] = begun
    _fill(connection, memoryview(header)[len(begun) :], deadline)
    kind, length = header[0], int.from_bytes(header[2:], "big")
    if kind not in longest:
        raise BoundError(f"PDU of unknown type 0x{kind:02X}")
    if length > longest[kind]:
        raise BoundError(
            f"PDU of type 0x{kind:02X} claims {length} bytes, at most {longest[kind]} are read"
        )
    pdu = header + bytearray(length)
    _fill(connection, memoryview(pdu)[_HEADER_BYTES:], deadline)
    return pdu


def _fill(connection: socket.socket, view: memoryview, deadline: float) -> None:
    while len(view):
        left = deadline - time.monotonic()
        if left <= 0:
            raise BoundError("a PDU was not whole in time")
        connection.settimeout(left)
        try:
            count = connection.recv_into(view)
        except TimeoutError as error:
            raise BoundError("a PDU was not whole in time") from error
        if not count:
            raise ConnectionResetError("closed by the peer")
        view = view[count:]


class BoundedSocket(AssociationSocket):
    """The connection of an association that a peer opened; its first PDU was read before."""

    def __init__(
        self, association: Association, connection: socket.socket, *, first: bytes, wire: Wire
    ) -> None:
        super().__init__(association, client_socket=connection)
        self._first = bytearray(first)
        self._longest = longest_pdus(wire)
        self._pdu_timeout_s = wire.pdu_timeout_s
        self._shut = False
        # select() knows no descriptor above 1023
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def shut(self) -> None:
        """Read nothing more; pynetdicom then closes it once what it has to say is sent."""
        self._shut = True

    @property
    def ready(self) -> bool:
        """Whether there is something to read, an end included."""
        connection = self.socket
        if connection is None or self._shut:
            return False
        if self._first or (isinstance(connection, ssl.SSLSocket) and connection.pending()):
            return True
        try:
            return bool(self._poll.poll(0))
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False

    def read_pdu(self) -> bytearray | None:
        """The next PDU; None where nothing of it is here yet.

        Raises:
            BoundError: it is of no known type, too long or too slow.
            OSError: the connection is lost.
        """
        if self._first:
            first, self._first = self._first, bytearray()
            return first
        connection = self.socket
        if connection is None:
            raise ConnectionResetError("closed")
        connection.settimeout(0)  # TLS has records of its own, which make a socket ready, too
        try:
            begun = connection.recv(_HEADER_BYTES)
        except _NOTHING_YET:
            return None
        if not begun:
            raise ConnectionResetError("closed by the peer")
        deadline = time.monotonic() + self._pdu_timeout_s
        return read_pdu(connection, self._longest, deadline=deadline, begun=begun)

    def send(self, bytestream: bytes) -> None:
        """As pynetdicom's, but a peer that does not read cannot hold it for good."""
        if self.socket is not None:
            self.socket.settimeout(self._pdu_timeout_s)
        super().send(bytestream)

    def _shutdown_socket(self) -> None:
        """Pynetdicom's does not close a connection that the peer has reset."""
        if self.socket is not None:
            end_connection(self.socket)
