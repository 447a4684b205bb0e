"""A peer that writes bytes as it likes, and what the node says of it."""

import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pydicom.dataset import Dataset
from pynetdicom import AE, build_context
from pynetdicom.association import Association
from pynetdicom.dsutils import encode
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.presentation import PresentationContext

from node.ledger.schema import events
from tests.support.peers import EXPLICIT, MR
from tests.support.receiver import Receiver

ACCEPTED, REJECTED, P_DATA, RELEASED, ABORTED = 0x02, 0x03, 0x04, 0x06, 0x07
COMMAND, DATA, LAST = 0x01, 0x00, 0x02
RELEASE_RQ = struct.pack(">BBLL", 0x05, 0, 4, 0)
ABORT_RQ = struct.pack(">BBLL", 0x07, 0, 4, 0)


def associate_rq(contexts: Sequence[PresentationContext] = (), calling: str = "TPS") -> bytes:
    """An A-ASSOCIATE-RQ as pynetdicom makes it."""
    entity = AE(ae_title=calling)
    association = Association(entity, "requestor")
    association.requestor.requested_contexts = list(contexts) or [build_context(MR, [EXPLICIT])]
    for number, context in enumerate(association.requestor.requested_contexts):
        context.context_id = 2 * number + 1
    association.requestor.ae_title = calling
    association.requestor.maximum_length = 16_384
    association.requestor.implementation_class_uid = entity.implementation_class_uid
    association.acceptor.ae_title = "SLICEWIRE"
    sent: list[bytes] = []

    def keep(primitive: object) -> None:
        sent.append(bytes(A_ASSOCIATE_RQ(primitive).encode()))  # type: ignore[arg-type]  # it is one

    association.dul.send_pdu = keep  # type: ignore[method-assign]  # there is no connection
    association.acse.send_request()
    return sent[0]


def pdu(kind: int, content: bytes, *, claims: int | None = None) -> bytes:
    """A PDU that claims its length, or another one."""
    return struct.pack(">BBL", kind, 0, len(content) if claims is None else claims) + content


def p_data(content: bytes, control: int, context_id: int = 1) -> bytes:
    """A P-DATA-TF with one fragment."""
    return pdu(P_DATA, struct.pack(">LBB", len(content) + 2, context_id, control) + content)


def store_command(sop_instance_uid: str = "1.2.3", *, sop_class_uid: str = MR) -> bytes:
    """The command set of a C-STORE request."""
    command = Dataset()
    command.AffectedSOPClassUID = sop_class_uid
    command.CommandField = 0x0001
    command.MessageID = 1
    command.Priority = 2
    command.CommandDataSetType = 1
    command.AffectedSOPInstanceUID = sop_instance_uid
    encoded = encode(command, True, True) or b""
    group_length = struct.pack("<HHLL", 0, 0, 4, len(encoded))
    return group_length + encoded


class RawPeer:
    """A connection to a listener."""

    def __init__(self, address: tuple[str, int], timeout_s: float = 60.0) -> None:
        self.connection = socket.create_connection(address, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def associate(self) -> Self:
        self.send(associate_rq())
        assert self.answer() == ACCEPTED
        return self

    def answer(self) -> int:
        """The type of the next PDU; -1 where the connection is closed instead."""
        try:
            header = self._read(6)
            if len(header) < 6:
                return -1
            self.last = self._read(struct.unpack(">L", header[2:])[0])
        except ConnectionError:
            return -1
        return header[0]

    def reset(self) -> None:
        """End the connection by a reset in place of a good-bye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count and (more := self.connection.recv(count - len(found))):
            found += more
        return found


def event_words(receiver: Receiver, kind: str) -> list[str]:
    """What the ledger tells of one kind of event."""
    with receiver.ledger.reading() as connection:
        rows = connection.execute(events.select()).all()
    return [row.words for row in rows if row.kind == kind]
