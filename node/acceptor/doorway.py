"""The way in: a connection becomes an association only after it has asked for one that we give.

Until then it costs one sleeping thread: TLS is negotiated and the whole A-ASSOCIATE-RQ read in the
connection's own thread with a time limit, so that none holds up another.
"""

import errno
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import structlog
from pynetdicom import AE, evt
from pynetdicom.events import EventHandlerType
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from core.config.settings import Configuration
from core.errors import BoundError, explain_fault
from network.access import AssociationRequest, Rejection, local_limit, read_request, rejection_of
from network.sender import Sender
from network.tls import ServerCertificates, certificate_names, why_not_reached
from network.transport import (
    ASSOCIATE_RQ,
    BoundedSocket,
    abort_pdu,
    end_connection,
    longest_pdus,
    read_pdu,
    reject_pdu,
)
from node.acceptor.places import Place, Places, WaitingRoom
from node.acceptor.receiver import StoreService
from node.acceptor.upper_layer import BoundedAssociation
from node.scp.incidents import Incidents

_LINGER_S = 1.0  # how long a peer may take to close after it was turned away
_BACKLOG = 128
_LOOKS_EVERY_S = 0.1  # whether it is to stop; a connection is seen at once
_NO_DESCRIPTOR, _NO_DESCRIPTOR_PAUSE_S = (errno.EMFILE, errno.ENFILE), 0.1

log = structlog.get_logger("wire")


class Doorway(ThreadedAssociationServer):
    """Listens on one port; what has to be known of a configuration is asked anew each time."""

    request_queue_size = _BACKLOG
    daemon_threads = True

    def __init__(
        self,
        entity: AE,
        address: tuple[str, int],
        contexts: list[PresentationContext],
        handlers: list[EventHandlerType],
        *,
        configuration: Configuration,
        places: Places,
        incidents: Incidents,
        certificates: ServerCertificates | None = None,
        service: StoreService | None = None,
    ) -> None:
        """With `certificates` it speaks TLS only, with `service` C-STORE is read by ourselves."""
        self.configuration = configuration
        self.places = places
        self.incidents = incidents
        self.certificates = certificates
        self.service = service
        self.is_closing = False
        self.waiting = WaitingRoom(configuration.wire.maximum_waiting)
        super().__init__(
            entity,
            address,
            entity.ae_title,
            contexts,
            evt_handlers=handlers,
            request_handler=_Visit,
        )

    def open(self) -> tuple[str, int]:
        """Listen in a thread of its own; answers address and port."""
        self.ae._servers.append(self)  # so that its associations count as the entity's
        threading.Thread(
            target=self.serve_forever, args=(_LOOKS_EVERY_S,), name="doorway", daemon=True
        ).start()
        ip, port = cast(socket.socket, self.socket).getsockname()[:2]
        return str(ip), int(port)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection; where no file can be opened it waits, and we do not ask again and again."""
        try:
            found: tuple[socket.socket, Any] = super().get_request()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR:
                self.incidents.beyond_bound("this node", "no more files may be open (ulimit -n)")
                time.sleep(_NO_DESCRIPTOR_PAUSE_S)
            raise
        return found

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread; where too many wait, the one that has waited longest goes."""
        if not self.waiting.enter(id(request), request):
            most = self.configuration.wire.maximum_waiting
            words = f"{most} connections wait, as many as may; the one that waited longest is ended"
            self.incidents.beyond_bound(str(client_address[0]), words)
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no more threads
            self.waiting.leave(id(request))
            raise

    def handle_error(self, _: Any, client_address: Any) -> None:
        """Never a traceback on the terminal: it may quote what a peer sent."""
        log.warning("connection failed", address=client_address[0])

    def _bind_defaults(self) -> None:
        """Each association has its own."""

    def service_actions(self) -> None:
        """Not all of the process' garbage at every sixtieth connection, as in pynetdicom."""

    def shutdown(self) -> None:
        """Take no more, and end those that wait."""
        self.is_closing = True
        super().shutdown()
        self.waiting.clear()


class _Visit(RequestHandler):
    """One connection, from its acceptance to its association."""

    server: Doorway

    def handle(self) -> None:
        """Let it in, or say why not; the connection is closed unless an association has it."""
        key = id(self.request)  # of the connection as it was accepted
        try:
            connection, first = self._wait_for_request(key)
        except (BoundError, OSError) as error:
            self.server.waiting.leave(key)
            self._turn_away(error)
            return
        waited = self.server.waiting.leave(key)
        try:
            if not waited or not self._admit(connection, first):
                end_connection(connection)
        except Exception as error:  # noqa: BLE001, the thread is the only one who knows of it
            end_connection(connection)
            log.warning("connection failed", reason=explain_fault(error))

    def _wait_for_request(self, key: int) -> tuple[socket.socket, bytearray]:
        """Raises BoundError or OSError; the connection, by TLS or not, is `self.request` then."""
        wire = self.server.configuration.wire
        deadline = time.monotonic() + wire.associate_timeout_s
        connection = cast(socket.socket, self.request)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.certificates is not None:
            wrapped = self.server.certificates.wrap(connection)
            self.server.waiting.exchange(key, wrapped)
            connection = self.request = wrapped
            wrapped.settimeout(wire.associate_timeout_s)
            wrapped.do_handshake()
        longest = {ASSOCIATE_RQ: longest_pdus(wire)[ASSOCIATE_RQ]}
        return connection, read_pdu(connection, longest, deadline=deadline)

    def _turn_away(self, error: BoundError | OSError) -> None:
        """Nothing is told of a connection that was closed before it said anything: a port check."""
        connection = cast(socket.socket, self.request)
        if isinstance(error, BoundError):
            words = "an association request was expected: " + str(error)
            self.server.incidents.beyond_bound(self.client_address[0], words)
            _say(connection, abort_pdu())
        elif isinstance(error, ssl.SSLError):
            self.server.incidents.beyond_bound(self.client_address[0], why_not_reached(error))
        end_connection(connection)

    def _admit(self, connection: socket.socket, first: bytearray) -> bool:
        """Whether the connection is an association's now."""
        request = self._understood(connection, first)
        if request is None:
            return False
        rejection = rejection_of(request, self.server.configuration)
        place = None if rejection else self.server.places.take(request.sender.address)
        if isinstance(place, str):
            rejection = local_limit(place)
        if rejection is not None:
            self._reject(connection, request.sender, rejection)
            return False
        self._begin(connection, first, request, place=cast(Place, place))
        return True

    def _understood(self, connection: socket.socket, first: bytearray) -> AssociationRequest | None:
        try:
            names = certificate_names(connection)
            return read_request(bytes(first), self.client_address[0], names)
        except BoundError as error:
            self.server.incidents.beyond_bound(self.client_address[0], str(error))
            _say(connection, abort_pdu())
            return None

    def _reject(self, connection: socket.socket, sender: Sender, rejection: Rejection) -> None:
        fields = (rejection.result, rejection.source, rejection.reason)
        self.server.incidents.rejected(sender, fields, rejection.words)
        _say(connection, reject_pdu(*fields))

    def _begin(
        self,
        connection: socket.socket,
        first: bytearray,
        request: AssociationRequest,
        *,
        place: Place,
    ) -> None:
        """Serve an association, or hand it to its threads."""
        server, association = self.server, None
        try:
            association = self._association()
            self._connect(association, connection, b"" if server.service else bytes(first))
            if server.service is not None:
                association.adopt(cast(A_ASSOCIATE_RQ, request.pdu))
            place.holder = association
            if server.is_closing:  # who closes it may have looked for associations before
                raise ConnectionAbortedError("the node stops")
            association.start() if server.service is None else association.serve()
        except Exception:  # whatever it is, it is passed on: only what was opened is closed here
            if association is not None:
                association.give_up()
            if place.holder is None:
                server.places.give_back(place)
            raise

    def _association(self) -> BoundedAssociation:
        server = self.server
        association = BoundedAssociation(
            server.ae,
            server.configuration.wire,
            lambda one, words: server.incidents.beyond_bound(one.requestor.address, words),
            service=server.service,
        )
        self._prepare(association)
        return association

    def _prepare(self, association: BoundedAssociation) -> None:
        server, entity = self.server, self.server.ae
        association.name = f"AcceptorThread@{datetime.now():%Y%m%d%H%M%S}"
        association._server = server
        association.acceptor.maximum_length = entity.maximum_pdu_size
        association.acceptor.ae_title = server.ae_title
        association.acceptor.address_info = self.local
        association.acceptor.implementation_class_uid = entity.implementation_class_uid
        association.acceptor.implementation_version_name = entity.implementation_version_name
        association.acceptor.supported_contexts = server.contexts  # read only, and large
        association.requestor.address_info = self.remote
        _bind(server, association)

    def _connect(
        self, association: BoundedAssociation, connection: socket.socket, first: bytes
    ) -> None:
        """`first` is what was read of the connection and is to be read again."""
        transport = BoundedSocket(
            association,
            connection,
            first=first,
            wire=self.server.configuration.wire,
            wake=association.dul.wake,
        )
        association.set_socket(transport)
        evt.trigger(association, evt.EVT_CONN_OPEN, {"address": self.client_address})


def _bind(server: Doorway, association: BoundedAssociation) -> None:
    """The listener's handlers."""
    for event in server.get_events():
        handlers: Any = server.get_handlers(event)
        if event.is_intervention:
            handlers = [handlers]
        for handler, args in handlers:
            if handler is not None:
                association.bind(event, handler, args)


def _say(connection: socket.socket, pdu: bytes) -> None:
    """Send the last PDU; the peer closes then (PS3.8 section 9.2), else it is done for it."""
    with suppress(OSError):
        connection.settimeout(_LINGER_S)
        connection.sendall(pdu)
        connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + _LINGER_S
        while time.monotonic() < until and connection.recv(65536):
            pass
