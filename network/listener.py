"""Listen for connections, negotiate associations with their requestors, and serve them.

Each connection has one thread. The thread negotiates TLS, reads the A-ASSOCIATE-RQ within a time
limit, accepts or rejects it (PS3.8 7.1), and serves an accepted association to its end.
"""

import errno
import selectors
import socket
import ssl
import threading
import time
from typing import Protocol

import structlog

from core.config.wire import Wire
from core.errors import BoundError, explain_fault
from network.access import (
    AssociationRequest,
    Rejection,
    local_limit,
    protocol_rejection,
    read_request,
)
from network.association_limits import AssociationLimits, PendingConnections, Place
from network.scp import Services, serve
from network.sender import Sender
from network.tls import ServerCertificates, certificate_names, why_not_reached
from network.upper_layer.associate_pdus import write_associate
from network.upper_layer.association import Association, end_connection, send_last_pdu
from network.upper_layer.messages import MessageBounds
from network.upper_layer.negotiation import Agreement, Supported, accept
from network.upper_layer.pdu_reader import PduReader
from network.upper_layer.pdus import ASSOCIATE_AC, ASSOCIATE_RQ, abort_pdu, longest_pdus, reject_pdu

_BACKLOG = 128
_NO_DESCRIPTOR, _NO_DESCRIPTOR_PAUSE_S = (errno.EMFILE, errno.ENFILE), 0.1

log = structlog.get_logger("wire")


class Acceptor(Protocol):
    """Decisions and records that a listener asks for; called from many threads."""

    def rejection_of(self, request: AssociationRequest, /) -> Rejection | None:
        """Reject a request, or None to accept it."""

    def open(self, sender: Sender, /) -> Services:
        """Record an association that was just accepted; returns the services for its messages."""

    def on_rejected(self, sender: Sender, rejection: Rejection, /) -> None:
        """Record a request that was rejected."""

    def on_bound(self, address: str, words: str, /) -> None:
        """Record that a connection from `address` exceeded a bound, or that there are too many."""


class AssociationListener:
    """Listens on one port in a thread of its own, and starts a thread for each connection."""

    def __init__(
        self,
        acceptor: Acceptor,
        supported: Supported,
        wire: Wire,
        *,
        limits: AssociationLimits,
        certificates: ServerCertificates | None = None,
    ) -> None:
        """`acceptor` decides and records, `limits` may be shared by several listeners.

        With `certificates` the port speaks TLS only.
        """
        self.acceptor = acceptor
        self.supported = supported
        self.wire = wire
        self.limits = limits
        self.certificates = certificates
        self.pending = PendingConnections(wire.maximum_waiting)
        self.is_closing = False

    def open(self, address: tuple[str, int]) -> tuple[str, int]:
        """Start to listen.

        Returns:
            IP address and port; for port 0 one that was free.

        Raises:
            OSError: the address cannot be listened on.
        """
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.create_server(address, family=family, backlog=_BACKLOG)
        self.socket.setblocking(False)
        self._waking, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()
        ip, port = self.socket.getsockname()[:2]
        return str(ip), int(port)

    def close(self) -> None:
        """Stop listening, and close the connections that have not sent a request yet."""
        self.is_closing = True
        self._waking.close()
        self._thread.join()
        self.pending.clear()

    def accept(self) -> tuple[socket.socket, str]:
        """Accept a connection; returns it with the peer's IP address. Raises OSError."""
        connection, address = self.socket.accept()
        return connection, str(address[0])

    def _take_connection(self) -> tuple[socket.socket, str] | None:
        """Accept a connection; None if its peer has gone, or if no more files may be open."""
        try:
            return self.accept()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR:
                self.acceptor.on_bound("this node", "no more files may be open (ulimit -n)")
                time.sleep(_NO_DESCRIPTOR_PAUSE_S)
            return None

    def _listen(self) -> None:
        """Run the thread: wait for connections until `close` is called."""
        with selectors.DefaultSelector() as selector, self.socket, self._woken:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self.is_closing:
                selector.select()
                taken = None if self.is_closing else self._take_connection()
                if taken is not None:
                    self._begin(*taken)

    def _begin(self, connection: socket.socket, address: str) -> None:
        """Start the thread of a connection; of too many pending ones the oldest is closed."""
        handler = ConnectionHandler(self, connection, address)
        if not self.pending.enter(handler, connection):
            words = (
                f"{self.wire.maximum_waiting} connections wait, as many as are allowed; "
                "the one that waited longest was closed"
            )
            self.acceptor.on_bound(address, words)
        try:
            threading.Thread(target=handler.run, name=f"from {address}", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            self.pending.leave(handler)
            end_connection(connection)
            log.warning("connection failed", address=address, reason=explain_fault(error))


class ConnectionHandler:
    """Serves one connection from its acceptance to the end of its association."""

    def __init__(
        self, listener: AssociationListener, connection: socket.socket, address: str
    ) -> None:
        self._listener = listener
        self._connection = connection
        self._address = address

    def run(self) -> None:
        """Negotiate and serve an association, or reject it; closes the connection in any case."""
        try:
            self._run()
        except OSError:
            pass  # the peer has gone before it got the answer
        except Exception as error:  # noqa: BLE001, nothing else reports it
            log.warning("association failed", reason=explain_fault(error))
        finally:
            end_connection(self._connection)

    def _run(self) -> None:
        try:
            reader, request_pdu = self._wait_for_request()
        except (BoundError, OSError) as error:
            self._listener.pending.leave(self)
            self._turn_away(error)
            return
        if self._listener.pending.leave(self):
            self._admit(reader, request_pdu)

    def _wait_for_request(self) -> tuple[PduReader, bytes]:
        """Negotiate TLS, if it is used, and read the first PDU.

        Raises:
            BoundError: no A-ASSOCIATE-RQ within its bounds and in time.
            OSError: the connection is lost, or TLS fails.
        """
        wire = self._listener.wire
        deadline = time.monotonic() + wire.associate_timeout_s
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._listener.certificates is not None:
            self._connection = wrapped = self._listener.certificates.wrap(self._connection)
            self._listener.pending.exchange(self, wrapped)
            wrapped.settimeout(wire.associate_timeout_s)
            wrapped.do_handshake()
        longest = {ASSOCIATE_RQ: wire.maximum_request_bytes}
        reader = PduReader(self._connection, longest, timeout_s=wire.associate_timeout_s)
        left = max(0.0, deadline - time.monotonic())
        pdu = reader.next(left, within_s=left)
        if pdu is None:
            raise BoundError("a PDU was not whole in time")
        return reader, bytes(pdu)

    def _turn_away(self, error: BoundError | OSError) -> None:
        """Record why there is no request, except of a port check, which closes without a byte."""
        if isinstance(error, BoundError):
            self._abort(f"an association request was expected: {error}")
        elif isinstance(error, ssl.SSLError):
            self._listener.acceptor.on_bound(self._address, why_not_reached(error))

    def _abort(self, words: str) -> None:
        self._listener.acceptor.on_bound(self._address, words)
        send_last_pdu(self._connection, abort_pdu())

    def _admit(self, reader: PduReader, request_pdu: bytes) -> None:
        listener = self._listener
        try:
            names = certificate_names(self._connection)
            request = read_request(request_pdu, self._address, names)
        except BoundError as error:
            self._abort(str(error))
            return
        rejection = protocol_rejection(request.asked) or listener.acceptor.rejection_of(request)
        place = None if rejection else listener.limits.take(request.sender)
        if isinstance(place, str):
            rejection, place = local_limit(place), None
        if rejection is not None or place is None:
            self._reject(request.sender, rejection or local_limit(""))
            return
        try:
            self._serve(reader, request, place)
        finally:
            listener.limits.give_back(place)

    def _reject(self, sender: Sender, rejection: Rejection) -> None:
        self._listener.acceptor.on_rejected(sender, rejection)
        pdu = reject_pdu(rejection.result, rejection.source, rejection.reason)
        send_last_pdu(self._connection, pdu)

    def _serve(self, reader: PduReader, request: AssociationRequest, place: Place) -> None:
        """Send the A-ASSOCIATE-AC, and serve the association to its end."""
        listener, wire = self._listener, self._listener.wire
        agreement, answer = accept(request.asked, listener.supported, wire.maximum_pdu_bytes)
        self._connection.settimeout(wire.pdu_timeout_s)
        self._connection.sendall(write_associate(ASSOCIATE_AC, answer))
        reader.allow(longest_pdus(wire), timeout_s=wire.pdu_timeout_s)
        services = listener.acceptor.open(request.sender)
        association = place.association = self._association(reader, agreement, services)
        if listener.is_closing:  # `Listener.stop` may have looked for open associations before
            association.stop()
        serve(
            association,
            services,
            idle_timeout_s=wire.idle_timeout_s,
            on_bound=lambda words: listener.acceptor.on_bound(self._address, words),
        )

    def _association(
        self, reader: PduReader, agreement: Agreement, services: Services
    ) -> Association:
        return Association(
            self._connection,
            reader,
            agreement,
            bounds=MessageBounds.of(self._listener.wire),
            open_sink=services.open_sink,
            write_timeout_s=self._listener.wire.pdu_timeout_s,
        )
