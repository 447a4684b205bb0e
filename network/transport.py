"""PDUs off a socket: none is read that claims too much or takes too long (PS3.8 section 9.3)."""

import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

from core.config.wire import Wire
from core.errors import BoundError
from network.pdu_reader import HEADER_BYTES, NOTHING_YET, PduReader, Wake, claimed_bytes

ASSOCIATE_RQ, P_DATA, ABORT = 0x01, 0x04, 0x07
_FIXED_BYTES = 4  # of A-RELEASE-RQ, A-RELEASE-RP, A-ASSOCIATE-RJ and A-ABORT
_HEADERS_COUNTED_APART = 1024  # some peers do not count them as part of a PDU's maximum length


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
    connection: socket.socket, longest: Mapping[int, int], *, deadline: float
) -> bytearray:
    """The first PDU of a connection, and not a byte more.

    Args:
        connection: its time limit is changed.
        longest: variable field in bytes, by the type of PDU.
        deadline: monotonic seconds.

    Raises:
        BoundError: its type is unknown, it is too long, or it is not here by `deadline`.
        OSError: the connection is lost.
    """
    header = bytearray(HEADER_BYTES)
    _fill(connection, memoryview(header), deadline)
    pdu = header + bytearray(claimed_bytes(header, longest))
    _fill(connection, memoryview(pdu)[HEADER_BYTES:], deadline)
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


def _nobody_asked(_: str) -> None:
    """What is told before an association has the connection."""


class BoundedSocket(AssociationSocket):
    """The connection of an association that a peer opened; its first PDU was read before."""

    def __init__(
        self,
        association: Association,
        connection: socket.socket,
        *,
        first: bytes,
        wire: Wire,
        wake: Wake | None = None,
    ) -> None:
        """`wake` ends the wait of `next_pdu`."""
        super().__init__(association, client_socket=connection)
        self.on_bound: Callable[[str], None] = _nobody_asked
        """Called with words where the peer takes too long to read."""
        self._first = bytearray(first)
        self._pdu_timeout_s = wire.pdu_timeout_s
        self._shut = False
        self._reader = PduReader(
            connection, longest_pdus(wire), timeout_s=wire.pdu_timeout_s, wake=wake
        )

    def shut(self) -> None:
        """Read nothing more; pynetdicom then closes it once what it has to say is sent."""
        self._shut = True

    @property
    def ready(self) -> bool:
        """Whether there is something to read, an end included."""
        if self.socket is None or self._shut:
            return False
        if self._first:
            return True
        try:
            return self._reader.ready
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False

    @property
    def has_part(self) -> bool:
        """Whether part of a PDU is here."""
        return self._reader.has_part

    def read_pdu(self) -> bytearray | None:
        """The next PDU; None where nothing of it is here yet. Raises as `next_pdu`."""
        if self._first:
            first, self._first = self._first, bytearray()
            return first
        pdu = self.next_pdu(0.0)
        return None if pdu is None else bytearray(pdu)

    def next_pdu(self, wait_s: float) -> memoryview | None:
        """The next PDU, valid until the next one; None where nothing of it came in time.

        Raises:
            BoundError: it is of no known type, too long or too slow.
            OSError: the connection is lost.
        """
        if self.socket is None:
            raise ConnectionResetError("closed")
        return None if self._shut else self._reader.next(wait_s)

    def send_now(self, pdus: bytes) -> None:
        """As `send`, without changing the connection's ways where the system takes it at once."""
        connection = self.socket
        if connection is None:
            return
        try:
            count = connection.send(pdus) if connection.gettimeout() == 0 else 0
        except (*NOTHING_YET, OSError):
            count = 0  # what is wrong with it is found below
        if count < len(pdus):
            self.send(pdus[count:])

    def send(self, bytestream: bytes) -> None:
        """As pynetdicom's, but a peer that does not read, or hardly, cannot hold it for good."""
        connection = self.socket
        if connection is None:
            return
        try:
            connection.settimeout(self._pdu_timeout_s)
            connection.sendall(bytestream)  # the time limit is for all of it
        except TimeoutError:
            self.on_bound(f"an answer was not taken within {self._pdu_timeout_s:g} s")
            self.event_queue.put("Evt17")
        except (OSError, ValueError):  # ValueError: of a TLS connection that is closed
            self.event_queue.put("Evt17")

    def _shutdown_socket(self) -> None:
        """Pynetdicom's does not close a connection that the peer has reset."""
        if self.socket is not None:
            end_connection(self.socket)
