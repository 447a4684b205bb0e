"""Associations that peers open, on pynetdicom's state machine, with bounds where it has none.

pynetdicom reads whatever length a PDU claims, waits for it for good, collects messages without
end, and leaves a thread and a connection behind when it is surprised.
"""

import threading
from typing import Any, cast

import structlog
from pynetdicom import AE, evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_STORE, DimseServiceType
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, A_RELEASE, P_DATA
from pynetdicom.transport import AssociationSocket

from core.config.wire import Wire
from core.errors import BoundError, explain_fault
from network.command_sets import HEADER_BYTES, check_context
from network.transport import BoundedSocket
from node.acceptor.checkpoint import Checkpoint
from node.acceptor.ending import Ending
from node.acceptor.provider import BoundedProvider, OnBound
from node.acceptor.receiver import StoreService
from node.acceptor.releases import BoundedReleases, what_it_lacks
from node.ledger.tables.ends import BOUND

_COMMAND = 0x01  # bit of a message control header (PS3.8 Annex E.2)
_MEGABYTE = 1_000_000

log = structlog.get_logger("wire")


class BoundedAssociation(Association):
    """An association as its acceptor; whatever happens, it ends with its connection closed."""

    dul: "BoundedProvider"
    dimse: "BoundedMessages"

    def __init__(
        self,
        entity: AE,
        wire: Wire,
        on_bound: OnBound,
        *,
        service: StoreService | None = None,
    ) -> None:
        """With `service` C-STORE is read by ourselves, and no thread asks again and again."""
        super().__init__(entity, MODE_ACCEPTOR)
        self.acse = BoundedReleases(self)
        self.negotiated = threading.Event()
        self.ending = Ending(lambda: self.dul.half or self.dimse.half, lambda: self.dul.part)
        self._tell = on_bound
        if service is not None:
            self._reactor_checkpoint = Checkpoint()
        self.dul = BoundedProvider(self, self._on_bound)
        self.dimse = BoundedMessages(self, wire, self._on_bound)
        self.acse_timeout = entity.acse_timeout  # set again: they are kept by the provider
        self.network_timeout = entity.network_timeout
        self.serving = 0
        self._has_thread = True
        self._is_served = False
        if service is not None:
            self.dul.receive_by(service, wire)

    def set_socket(self, socket: AssociationSocket) -> None:
        """As pynetdicom's; a peer that takes no answer is told of."""
        cast(BoundedSocket, socket).on_bound = lambda words: self._on_bound(self, words)
        super().set_socket(socket)

    def _on_bound(self, association: Association, words: str) -> None:
        self.ending.note(BOUND, f"as {words}")
        self._tell(association, words)

    def _bind_defaults(self) -> None:
        """Without those that make words of every PDU for a log that has none of them."""
        for event in evt._INTERVENTION_EVENTS:
            self.bind(event, evt.get_default_handler(event))

    def serve(self) -> None:
        """The whole association, in the thread that calls; `adopt` was called before.

        The association's own thread begins where pynetdicom has something to serve.
        """
        self._dul_ready.set()
        try:
            self.dul.run_reactor()
            if not self._has_thread and self.acse.is_aborted():
                self._note_abort()  # which ends the reactor before it looks
        finally:
            try:
                if not self._has_thread:
                    self._finish()
            finally:
                self._is_served = False

    def adopt(self, request: A_ASSOCIATE_RQ) -> None:
        """The calling thread will serve this association, which has its connection by now."""
        self._has_thread = False
        self._is_served = True
        self.dul.adopt(request)

    def give_up(self) -> None:
        """It never came to be."""
        self._is_served = False
        self.dul.end()

    def attend(self) -> None:
        """Something is here for the association: see to it here, or let its thread do so."""
        if self._has_thread:
            self.nudge()
        elif isinstance(first := self.dul.peek_next_pdu(), A_ASSOCIATE):
            self._negotiate()
        elif isinstance(first, A_RELEASE) and self.dimse.msg_queue.empty():
            self._release()
        elif self.acse.is_aborted():
            self._note_abort()
        else:
            self.begin_thread()

    def begin_thread(self) -> None:
        """From here on pynetdicom's own loop serves what is not C-STORE, and ends what is idle."""
        if not self._has_thread:
            self.start()  # where it cannot, the thread that serves it goes on to its end
            self._has_thread = True

    def is_alive(self) -> bool:
        """As long as anything of it runs."""
        return self._is_served or self.dul.is_alive() or super().is_alive()

    def kill(self) -> None:
        """As pynetdicom's, which waits for the upper layer and would wait for itself."""
        if not self.dul.is_this_thread:
            super().kill()
            return
        self._kill = True
        self.is_established = False
        self._reactor_checkpoint.set()

    def _negotiate(self) -> None:
        """As pynetdicom's reactor."""
        asked = cast(A_ASSOCIATE, self.dul.receive_pdu())
        if self.is_aborted or self.dul.state_machine.current_state != "Sta3":
            return
        self.requestor.primitive = asked
        try:
            evt.trigger(self, evt.EVT_REQUESTED, {})
            self.acse.negotiate_association()
        except Exception as error:
            log.warning("association failed", reason=explain_fault(error))
            raise
        self.negotiated.set()

    def _release(self) -> None:
        """As pynetdicom's reactor."""
        if not self.acse.is_release_requested():
            return
        self.acse.send_release(is_response=True)
        self.is_released = True
        self.is_established = False
        evt.trigger(self, evt.EVT_RELEASED, {})
        self.kill()

    def _note_abort(self) -> None:
        """As pynetdicom's reactor."""
        self.dul.receive_pdu()
        self.is_aborted = True
        self.is_established = False
        evt.trigger(self, evt.EVT_ABORTED, {})
        self.kill()

    def nudge(self) -> None:
        """Let its thread look at what there is."""
        if isinstance(self._reactor_checkpoint, Checkpoint):
            self._reactor_checkpoint.nudge()

    def run_reactor(self) -> None:
        """The thread; pynetdicom's own leaves everything open when a peer surprises it."""
        try:
            if self.dul.is_adopted:
                self._run_reactor()
            else:
                super().run_reactor()
        except Exception as error:  # noqa: BLE001, whatever a peer sends, the node goes on
            log.warning("association failed", reason=explain_fault(error))
        finally:
            self._finish()

    def _finish(self) -> None:
        self._kill = True
        self.is_established = False
        self.negotiated.set()
        self.dul.end()

    def _run_reactor(self) -> None:
        """What the negotiation is told of is done: messages may be served."""
        self.negotiated.set()
        super()._run_reactor()

    def serve_waiting(self) -> None:
        """Answer the messages that have come."""
        while (waiting := self.dimse.get_msg(block=False)) and waiting[1] is not None:
            self._serve_request(waiting[1], waiting[0])

    def _serve_request(self, msg: DimseServiceType, context_id: int) -> None:
        lacks = what_it_lacks(msg) if isinstance(msg, C_STORE) else ""
        if lacks:
            self._on_bound(self, f"a C-STORE request has no {lacks}")
            self.dul.violate()
            return
        self.serving += 1
        try:
            super()._serve_request(msg, context_id)
        finally:
            self.serving -= 1
            self.dul.note_activity()


class BoundedMessages(DIMSEServiceProvider):
    """Puts fragments together to messages (PS3.7 section 6.3), as far as they may grow."""

    def __init__(self, association: BoundedAssociation, wire: Wire, on_bound: OnBound) -> None:
        super().__init__(association)
        self._on_bound = on_bound
        self._longest_command = wire.maximum_command_bytes
        self._longest_data_set = wire.maximum_instance_mb * _MEGABYTE
        self._command = self._data_set = 0
        self._context_id: int | None = None

    @property
    def half(self) -> str:
        """What of a message is here without the rest or its answer, in words; empty: nothing."""
        message = self.message
        if message is None or self._context_id is None:
            waits = cast(BoundedAssociation, self.assoc).serving or not self.msg_queue.empty()
            return "a message without its answer" if waits else ""
        if self._data_set:
            return f"half a data set ({self._data_set} bytes)"
        has_command = len(message.command_set) > 0
        return "a command set without its data set" if has_command else "half a command set"

    def receive_primitive(self, primitive: P_DATA) -> None:
        """As pynetdicom's; a message that is too long or makes no sense ends the association."""
        try:
            self._count(primitive)
            super().receive_primitive(primitive)
        except BoundError as error:
            self._end(str(error))
        except Exception as error:  # noqa: BLE001, pynetdicom's decoders raise anything
            self._end(f"a message cannot be read ({type(error).__name__})")
        if self.message is None:
            self._command = self._data_set = 0
            self._context_id = None

    def _count(self, primitive: P_DATA) -> None:
        for context_id, fragment in primitive.presentation_data_value_list:
            if not fragment:
                raise BoundError("a fragment without its header")
            if self._context_id is None:
                self._context_id = context_id
            check_context(context_id, self._context_id)
            if fragment[0] & _COMMAND:
                self._command += len(fragment) - 1 + HEADER_BYTES
            else:
                self._data_set += len(fragment) - 1
        if self._command > self._longest_command:
            raise BoundError(f"a command set is longer than {self._longest_command} bytes")
        if self._data_set > self._longest_data_set:
            megabytes = self._longest_data_set // _MEGABYTE
            raise BoundError(f"a data set is longer than {megabytes} MB")

    def _end(self, words: str) -> None:
        self._on_bound(self.assoc, words)
        self.message = None
        cast(Any, self.dul).violate()
