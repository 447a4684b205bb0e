"""The data path of our own as a target: an association's bytes up to the instance's description."""

import socket
from collections import Counter

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation

from core.config.wire import Wire
from core.errors import InstanceError
from network.command_sets import StoreRequest
from network.transport import BoundedSocket
from node.acceptor.upper_layer import BoundedAssociation
from node.scp.file_meta import encode_file_meta
from node.scp.inbox import Arrival, Inbox
from node.scp.spool import Spool
from node.wal.writer import Log

_IN_MEMORY_BYTES = 2_000  # so that both ways are gone


class Describing:
    """In the place of what stores: everything but that."""

    def __init__(self, inbox: Inbox, outcomes: Counter[str]) -> None:
        self._inbox = inbox
        self._outcomes = outcomes

    def open_log(self) -> Log:
        return self._inbox.logbook.open()

    def begin(self, request: StoreRequest, transfer_syntax_uid: str) -> Spool:
        return Spool(
            self._inbox.folder,
            encode_file_meta(request.sop_class_uid, request.sop_instance_uid, transfer_syntax_uid),
            transfer_syntax_uid,
            check_disk=self._inbox.watermark.check,
            in_memory_bytes=_IN_MEMORY_BYTES,
        )

    def finish(
        self,
        association: Association,
        request: StoreRequest,
        transfer_syntax_uid: str,
        *,
        spool: Spool,
        log: Log,
    ) -> tuple[int, str]:
        arrival = Arrival(
            association=1,
            sop_class_uid=request.sop_class_uid,
            sop_instance_uid=request.sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            file_meta=spool.file_meta,
            data_set=spool.data_set(),
            path=spool.path,
        )
        try:
            self._inbox.describe(arrival)
        except InstanceError:
            self._outcomes["reception: refused"] += 1
            return 0xC000, "refused"
        self._outcomes["reception: read"] += 1
        return 0, ""


class Reading:
    """A connection whose other end has sent some bytes and closed it."""

    def __init__(self, inbox: Inbox, context: PresentationContext, wire: Wire) -> None:
        self._entity = AE(ae_title="SLICEWIRE")
        self._inbox = inbox
        self._context = context
        self._wire = wire

    def give(self, content: bytes, outcomes: Counter[str]) -> None:
        """Raises whatever should not happen."""
        ours, theirs = socket.socketpair()
        bounds: list[str] = []
        association = BoundedAssociation(
            self._entity,
            self._wire,
            lambda _, words: bounds.append(words),
            service=Describing(self._inbox, outcomes),
        )
        association.requestor.address_info = AddressInformation("127.0.0.1", 104)
        association._accepted_cx = {1: self._context}
        dul = association.dul
        transport = BoundedSocket(
            association, ours, first=b"", wire=self._wire, wake=association.dul.wake
        )
        association.set_socket(transport)
        dul.event_queue.get_nowait()
        dul.state_machine.transition("Sta6")
        association.negotiated.set()
        theirs.sendall(content[:60_000])
        theirs.shutdown(socket.SHUT_WR)
        try:
            self._read(association)
        finally:
            dul.end()
            theirs.close()
            ours.close()
        outcomes["reception: beyond a bound" if bounds else "reception: within bounds"] += 1
        assert [path.name for path in self._inbox.folder.iterdir()] == []

    def _read(self, association: BoundedAssociation) -> None:
        """The upper layer's loop, without its thread, as long as the association is open."""
        dul = association.dul
        for _ in range(10_000):
            if dul.event_queue.empty():
                while association.dimse.msg_queue.qsize():
                    association.dimse.msg_queue.get_nowait()  # pynetdicom's, served elsewhere
                dul._receive()
            while not dul.event_queue.empty():
                event = dul.event_queue.get_nowait()
                if dul.state_machine.current_state != "Sta1":
                    dul.state_machine.do_action(event)
            if dul.state_machine.current_state != "Sta6":
                dul.drop()
                return
        raise AssertionError("the connection did not end")
