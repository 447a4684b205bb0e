"""Request an association with a peer; a failure is explained in words."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.presentation import PresentationContext

from core.errors import BoundError, NotOfferedError, SendError, SilentError, UnansweredError
from network.optional_items import OptionalItem
from network.scu.dialogue import Dialogue
from network.scu.peer_address import PeerAddress, Timeouts
from network.tls import why_not_reached
from network.upper_layer.associate_pdus import (
    AssociatePdu,
    ContextItem,
    Roles,
    UserInformation,
    read_associate,
    write_associate,
)
from network.upper_layer.association import Association, end_connection
from network.upper_layer.messages import Message, MessageBounds
from network.upper_layer.negotiation import Agreement, conclude
from network.upper_layer.pdu_reader import PduReader
from network.upper_layer.pdus import (
    ABORT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    ASSOCIATE_RQ,
    P_DATA,
    RELEASE_RP,
    RELEASE_RQ,
)

__all__ = ["PeerAddress", "Timeouts", "associate"]

_LONGEST_PDU_BYTES = 262_144
_OFFERED_PDU_BYTES = 16_382
_LONGEST = dict.fromkeys((ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT),
                         _LONGEST_PDU_BYTES)  # fmt: skip
_REJECTION_BYTES = 10
_BOUNDS = MessageBounds(passes_stray_data=True)


@contextmanager
def associate(
    peer: PeerAddress,
    calling_ae_title: str,
    contexts: Sequence[PresentationContext],
    timeouts: Timeouts,
    *,
    roles: Roles | None = None,
    operations: int = 1,
    on_request: Callable[[Message], int] | None = None,
) -> Iterator[Dialogue]:
    """Open an association with `peer`; released at the end, or aborted on an exception.

    What `peer.leaves_out` names is not proposed; roles that are not are taken as agreed.

    Args:
        peer: address and AE title of the peer.
        calling_ae_title: AE title of this side.
        contexts: presentation contexts to propose.
        timeouts: how long the peer may take.
        roles: roles to propose by SOP Class UID (PS3.7 D.3.3.4), if not the default ones.
        operations: more than one is proposed as asynchronous operations window (PS3.7 D.3.3.3).
        on_request: returns the status for a request that the peer sends.

    Raises:
        NotOfferedError: the peer accepts none of the presentation contexts.
        UnansweredError: the peer ended the negotiation, rejected the request without a reason, or
            did not answer it in time (SilentError).
        SendError: there is no association, with the reason in words.
    """
    if OptionalItem.WINDOW in peer.leaves_out:
        operations = 1
    asked = AssociatePdu(
        called_ae_title=peer.ae_title,
        calling_ae_title=calling_ae_title,
        contexts=_items(contexts),
        user=UserInformation(
            _OFFERED_PDU_BYTES,
            roles or {},
            None if operations == 1 else (operations, 1),
            has_version_name=OptionalItem.VERSION not in peer.leaves_out,
        ),
    )
    dialogue = _Request(peer, timeouts, asked).opened(operations, on_request)
    try:
        yield dialogue
    except BaseException:
        dialogue.abort()
        raise
    dialogue.release()


@dataclass(slots=True)
class _Request:
    """An association that is being requested."""

    peer: PeerAddress
    timeouts: Timeouts
    asked: AssociatePdu
    begun: float = field(default_factory=time.monotonic)

    def opened(self, operations: int, on_request: Callable[[Message], int] | None) -> Dialogue:
        """Connect and negotiate; raises as `associate`."""
        request = self._encoded()
        connection = self._connect()
        try:
            reader, agreement = self._negotiate(connection, request)
        except BaseException:
            end_connection(connection)
            raise
        association = Association(
            connection,
            reader,
            agreement,
            bounds=_BOUNDS,
            write_timeout_s=self.timeouts.response_s,
        )
        if not agreement.contexts:
            association.abort()
            raise NotOfferedError(
                f"{self.peer} accepted none of the presentation contexts that were proposed"
            )
        return Dialogue(
            association, self.peer, self.timeouts, operations=operations, on_request=on_request
        )

    def _encoded(self) -> bytes:
        said = self.asked
        if OptionalItem.ROLES in self.peer.leaves_out:
            said = replace(said, user=replace(said.user, roles={}))
        try:
            return write_associate(ASSOCIATE_RQ, said)
        except ValueError as error:
            raise SendError(f"No association with {self.peer} can be requested: {error}") from error

    def _connect(self) -> socket.socket:
        peer, timeouts = self.peer, self.timeouts
        try:
            connection = socket.create_connection((peer.ip, peer.port), timeouts.connect_s)
        except TimeoutError as error:
            raise SendError(
                f"{peer} did not take the connection within {timeouts.connect_s:g} s"
            ) from error
        except OSError as error:
            raise SendError(f"{peer} cannot be reached: {why_not_reached(error)}") from error
        except (ValueError, OverflowError) as error:
            raise SendError(f"No association with {peer} can be requested: {error}") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection if peer.tls is None else self._secured(connection)

    def _secured(self, connection: socket.socket) -> socket.socket:
        assert self.peer.tls is not None
        try:
            return self.peer.tls.negotiate(connection)
        except OSError as error:
            end_connection(connection)
            raise SendError(f"{self.peer} cannot be reached: {why_not_reached(error)}") from error
        except BaseException:
            end_connection(connection)
            raise

    def _negotiate(self, connection: socket.socket, request: bytes) -> tuple[PduReader, Agreement]:
        """Send the A-ASSOCIATE-RQ and read the answer; raises SendError."""
        reader = PduReader(connection, _LONGEST, timeout_s=self.timeouts.response_s)
        try:
            connection.settimeout(self._left_s())
            connection.sendall(request)
            left = self._left_s()
            answer = reader.next(left, within_s=left)
            if answer is None or answer[0] != ASSOCIATE_AC:
                raise _kind_of(answer)(self._why_none(answer))
            return reader, conclude(self.asked, read_associate(bytes(answer)))
        except BoundError as error:
            if self._left_s() <= _SHORTEST_S:
                raise SilentError(self._why_none(None)) from error
            raise SendError(f"{self.peer} broke the protocol: {error}") from error
        except TimeoutError as error:
            raise SilentError(self._why_none(None)) from error
        except OSError as error:
            words = f"{self.peer} closed the connection while the association was negotiated"
            if self.peer.tls is None:
                raise UnansweredError(words) from error
            raise SendError(f"{words}, perhaps as it does not accept our certificate") from error

    def _left_s(self) -> float:
        return max(_SHORTEST_S, self.begun + self.timeouts.associate_s - time.monotonic())

    def _why_none(self, answer: memoryview | None) -> str:
        """Explain in words why `answer` is no A-ASSOCIATE-AC; None: there was no answer in time."""
        if answer is None:
            limit_s = self.timeouts.associate_s
            return f"{self.peer} did not answer the association request within {limit_s:g} s"
        if answer[0] == ASSOCIATE_RJ:
            return self._rejected(bytes(answer))
        if answer[0] == ABORT:
            return f"{self.peer} aborted while the association was negotiated"
        return f"{self.peer} broke the protocol: PDU of type 0x{answer[0]:02X}"

    def _rejected(self, answer: bytes) -> str:
        if len(answer) < _REJECTION_BYTES:
            return f"{self.peer} broke the protocol: a rejection of {len(answer)} bytes"
        rejection = A_ASSOCIATE_RJ()
        try:
            rejection.decode(answer)
            reason = rejection.reason_str.lower().replace(" ae title", " AE title")
        except (ValueError, LookupError, TypeError):
            reason = f"reason {answer[9]} of source {answer[8]}"
        lasting = "permanently" if rejection.result == 1 else "for now"
        return f"{self.peer} rejected the association {lasting}: {reason}"


_SHORTEST_S = 0.001


def _kind_of(answer: memoryview | None) -> type[SendError]:
    """UnansweredError for an A-ABORT, and a permanent rejection without a reason (PS3.8 9.3.4)."""
    if answer is None:
        return SilentError
    is_rejected = answer[0] == ASSOCIATE_RJ and len(answer) >= _REJECTION_BYTES
    has_no_reason = is_rejected and (answer[7], answer[9]) == (1, 1)
    return UnansweredError if has_no_reason or answer[0] == ABORT else SendError


def _items(contexts: Sequence[PresentationContext]) -> list[ContextItem]:
    """Number presentation contexts by odd context IDs (PS3.8 9.3.2.2)."""
    return [
        ContextItem(
            2 * number + 1, str(one.abstract_syntax), [str(uid) for uid in one.transfer_syntax]
        )
        for number, one in enumerate(contexts)
    ]
