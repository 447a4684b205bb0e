"""Ask a peer for an association, and say in words why there is none."""

import select
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RJ
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

from core.errors import NotOfferedError, SendError
from network.tls import ClientTls, why_not_reached
from network.transport import end_connection

_Extended = SCP_SCU_RoleSelectionNegotiation | AsynchronousOperationsWindowNegotiation
_PAUSED_WITHIN_S = 1.0
_ABORT_SOURCES = {0: "its user", 2: "its network layer"}


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where a peer listens: IP address or host name, port and AE title."""

    ip: str
    port: int
    ae_title: str
    tls: ClientTls | None = None
    associations: int = 1
    """How many it takes from us at once."""

    def __str__(self) -> str:
        return f"{self.ae_title} at {self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may take, in seconds."""

    connect_s: float = 10.0
    associate_s: float = 30.0
    """From the connection to the answer to A-ASSOCIATE, and to A-RELEASE."""
    response_s: float = 120.0
    """From the end of a request to its response, and for any write to the network."""


@dataclass(slots=True)
class Conversation:
    """An association that was asked for, and what the peer did on it."""

    association: Association
    peer: PeerAddress
    timeouts: Timeouts
    watch: "_Watch"

    @property
    def operations(self) -> int:
        """How many requests the peer takes before it has answered the first (PS3.7 D.3.3.3)."""
        granted = self.association.acceptor.asynchronous_operations[0]
        proposed = self.association.requestor.asynchronous_operations[0]
        return min(granted, proposed) or proposed  # 0 stands for any number

    def why_it_ended(self, waited_s: float) -> str:
        """In words, after a request that got no response within `waited_s`."""
        if self.watch.abort_source is not None:
            who = _ABORT_SOURCES.get(self.watch.abort_source, "an unknown source")
            return f"{self.peer} aborted the association ({who})"
        if waited_s >= self.timeouts.response_s:
            return f"{self.peer} did not answer within {self.timeouts.response_s:g} s"
        return f"{self.peer} closed the connection"


@dataclass(slots=True)
class _Watch:
    """Notes from pynetdicom's network thread."""

    write_timeout_s: float
    connected: bool = False
    abort_source: int | None = None
    rejection: A_ASSOCIATE_RJ | None = None
    handlers: list[EventHandlerType] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handlers = [
            (evt.EVT_CONN_OPEN, self.on_conn_open),
            (evt.EVT_PDU_RECV, self.on_pdu_recv),
        ]

    def on_conn_open(self, event: Event) -> None:
        """Without Nagle's algorithm a request does not wait for the peer's delayed ACK."""
        self.connected = True
        transport = event.assoc.dul.socket
        if transport is not None and transport.socket is not None:
            transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport.socket.settimeout(self.write_timeout_s)

    def on_pdu_recv(self, event: Event) -> None:
        if isinstance(event.pdu, A_ABORT_RQ):
            self.abort_source = event.pdu.source
        elif isinstance(event.pdu, A_ASSOCIATE_RJ):
            # a rejection that comes at once is "not connected" to pynetdicom's other thread
            self.rejection = event.pdu


class _Connection(AssociationSocket):
    """Pynetdicom's own is not closed where the peer reset it or never took it, and fails where more
    than a thousand files are open, as `select` knows no descriptor above 1023."""

    @property
    def ready(self) -> bool:
        """Whether there is something to read, an end included."""
        connection = self.socket
        if connection is None or not self._is_connected:
            return False
        try:
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            if poll.poll(0):
                return True
            return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        except (OSError, ValueError):  # closed meanwhile
            self.event_queue.put("Evt17")
            return False

    def _shutdown_socket(self) -> None:
        if self.socket is not None:
            end_connection(self.socket)


class _Entity(AE):
    """Its connections are closed when pynetdicom is done with them."""

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        connection = _Connection(assoc, address=address)
        connection.tls_args = tls_args
        return connection


@contextmanager
def associate(
    peer: PeerAddress,
    calling_ae_title: str,
    contexts: Sequence[PresentationContext],
    timeouts: Timeouts,
    *,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    operations: int = 1,
    handlers: Sequence[EventHandlerType] = (),
) -> Iterator[Conversation]:
    """An association with `peer` that is released at the end, or aborted on an exception.

    More than one of `operations` is proposed as an asynchronous operations window.

    Raises:
        NotOfferedError: the peer accepts none of the contexts.
        SendError: no association, with the reason in words.
    """
    extended: list[_Extended] = [*roles, *_window(operations)]
    conversation = _request(
        peer, calling_ae_title, contexts, timeouts, extended=extended, handlers=handlers
    )
    association = conversation.association
    try:
        yield conversation
    except BaseException:
        association.abort()
        raise
    _release(association)


def _release(association: Association) -> None:
    """As `Association.release`, which may wait for good for its other thread to pause.

    pynetdicom serves an N-EVENT-REPORT in a third one, whose end says that nothing is paused.
    """
    if not association.is_established:
        return
    association._reactor_checkpoint.clear()
    until = time.monotonic() + _PAUSED_WITHIN_S
    while not association._is_paused and time.monotonic() < until:
        time.sleep(0.001)
    association.acse.negotiate_release()
    association._reactor_checkpoint.set()


def _window(operations: int) -> list[AsynchronousOperationsWindowNegotiation]:
    if operations == 1:
        return []
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = operations
    window.maximum_number_operations_performed = 1
    return [window]


def _request(
    peer: PeerAddress,
    calling_ae_title: str,
    contexts: Sequence[PresentationContext],
    timeouts: Timeouts,
    *,
    extended: Sequence[SCP_SCU_RoleSelectionNegotiation | AsynchronousOperationsWindowNegotiation],
    handlers: Sequence[EventHandlerType],
) -> Conversation:
    watch, begun = _Watch(timeouts.response_s), time.monotonic()
    try:
        entity = _Entity(ae_title=calling_ae_title)
        entity.connection_timeout = timeouts.connect_s
        entity.acse_timeout = timeouts.associate_s
        entity.dimse_timeout = timeouts.response_s
        entity.network_timeout = None  # between two requests we may be transcoding
        association = entity.associate(
            peer.ip,
            peer.port,
            contexts=list(contexts),
            ae_title=peer.ae_title,
            ext_neg=list(extended),
            evt_handlers=[*watch.handlers, *handlers],
            tls_args=None if peer.tls is None else (peer.tls.context(), peer.tls.name),
        )
    except (ValueError, TypeError, OSError, OverflowError) as error:
        raise SendError(f"No association with {peer} can be asked for: {error}") from error
    conversation = Conversation(association, peer, timeouts, watch)
    if association.rejected_contexts and not association.is_established:
        raise NotOfferedError(
            f"{peer} accepted none of the presentation contexts that were proposed"
        )
    if not association.is_established:
        raise SendError(_why_none(conversation, time.monotonic() - begun))
    return conversation


def _why_none(conversation: Conversation, waited_s: float) -> str:
    peer, timeouts = conversation.peer, conversation.timeouts
    if not conversation.watch.connected:
        return _why_no_connection(peer, timeouts, waited_s)
    rejection = conversation.watch.rejection
    if rejection is not None:
        reason = _reason(rejection).lower().replace(" ae title", " AE title")
        lasting = "permanently" if rejection.result == 1 else "for now"
        return f"{peer} rejected the association {lasting}: {reason}"
    if conversation.watch.abort_source is not None:
        return f"{peer} aborted while the association was negotiated"
    if waited_s >= timeouts.associate_s:
        return f"{peer} did not answer the association request within {timeouts.associate_s:g} s"
    perhaps = "" if peer.tls is None else ", perhaps as it does not accept our certificate"
    return f"{peer} closed the connection while the association was negotiated{perhaps}"


def _reason(rejection: A_ASSOCIATE_RJ) -> str:
    try:
        return rejection.reason_str
    except ValueError:
        return f"reason {rejection.reason_diagnostic} of source {rejection.source}"


def _why_no_connection(peer: PeerAddress, timeouts: Timeouts, waited_s: float) -> str:
    if waited_s >= timeouts.connect_s:
        return f"{peer} did not take the connection within {timeouts.connect_s:g} s"
    try:  # pynetdicom keeps the reason to itself: ask again
        with socket.create_connection((peer.ip, peer.port), timeouts.connect_s) as connection:
            if peer.tls is not None:
                peer.tls.negotiate(connection).close()
    except OSError as error:
        return f"{peer} cannot be reached: {why_not_reached(error)}"
    return f"{peer} could not be reached at first, but can be now"
