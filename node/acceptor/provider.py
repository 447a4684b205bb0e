"""The thread of an association's upper layer: what is read, by whom, and when it waits."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import structlog
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RQ

from core.config.wire import Wire
from core.errors import BoundError, explain_fault
from network.pdu_reader import Wake
from network.transport import P_DATA, BoundedSocket
from node.acceptor.ending import Ending
from node.acceptor.receiver import Reception, StoreService
from node.ledger.tables.ends import ABORT, BOUND, IDLE, LOST

if TYPE_CHECKING:
    from node.acceptor.upper_layer import BoundedAssociation

OnBound = Callable[[Association, str], None]
"""Called with an association that went beyond a bound, and the words."""
_MOST_PENDING = 2  # requests that a peer may send ahead of our answers
_TICK_S = 0.5  # after so long without anything, what was logged gets its files

log = structlog.get_logger("wire")


class BoundedProvider(DULServiceProvider):
    """The upper layer's thread of one association (PS3.8 section 9.2)."""

    def __init__(self, association: "BoundedAssociation", on_bound: OnBound) -> None:
        super().__init__(association)
        self._on_bound = on_bound
        self._reception: Reception | None = None
        self._polls_every_s = self._run_loop_delay
        self.wake: Wake | None = None
        self._adopted: threading.Thread | None = None
        self._over = threading.Event()

    def receive_by(self, service: StoreService, wire: Wire) -> None:
        """Read C-STOREs here; what is to be sent wakes the thread that waits for them."""
        self.wake = Wake()
        self._reception = Reception(
            self.assoc,
            wire,
            service,
            send=lambda pdus: cast(BoundedSocket, self.socket).send_now(pdus),
            is_busy=lambda: self._pending() > 0,
        )

    def adopt(self, request: A_ASSOCIATE_RQ) -> None:
        """The calling thread will run the reactor; `request` is what the connection began with."""
        self._adopted = threading.current_thread()
        self._recv_pdu.put(request)
        self.event_queue.put("Evt6")

    @property
    def half(self) -> str:
        """As `Reception.half`."""
        return "" if self._reception is None else self._reception.half

    @property
    def part(self) -> str:
        """What of a PDU is here, in words; empty: nothing."""
        transport = cast(BoundedSocket | None, self.socket)
        return "part of a PDU" if transport is not None and transport.has_part else ""

    @property
    def _ending(self) -> Ending:
        return cast("BoundedAssociation", self.assoc).ending

    @property
    def is_adopted(self) -> bool:
        """Whether a thread that was there before runs the reactor."""
        return self._adopted is not None

    @property
    def is_this_thread(self) -> bool:
        """Whether it is the calling thread that runs the reactor."""
        return threading.current_thread() is (self._adopted or self)

    def is_alive(self) -> bool:
        """Whether the reactor runs, or is about to."""
        return not self._over.is_set() if self.is_adopted else super().is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the reactor has ended."""
        if self.is_adopted:
            self._over.wait(timeout)
        else:
            super().join(timeout)

    def run_reactor(self) -> None:
        """The thread; the connection does not outlive it."""
        try:
            super().run_reactor()
        except Exception as error:  # noqa: BLE001, an event that the state machine does not know
            log.warning("connection failed", reason=explain_fault(error))
        finally:
            self.assoc._dul_ready.set()
            self._close_at_last()
            self._over.set()
            cast("BoundedAssociation", self.assoc).nudge()

    def end(self) -> None:
        """Stop the thread, if it was started."""
        self.kill_dul()
        if self.is_alive() and not self.is_this_thread:
            self.join()
        self._close_at_last()
        self._over.set()
        if self.wake is not None:
            self.wake.close()

    def close(self) -> None:
        """Close the connection where that was not done; what is half here goes."""
        transport = self.socket
        if transport is not None and transport.socket is not None:
            transport.close()
        if self.is_this_thread:
            self.drop()

    def _close_at_last(self) -> None:
        """Whatever fails in it, the association is over."""
        try:
            self.close()
        except Exception as error:  # noqa: BLE001, a disk may refuse to close a log
            log.warning("connection not closed well", reason=explain_fault(error))

    def drop(self) -> None:
        """What is half here goes, and what is logged gets its files; the reading thread's."""
        if self._reception is not None:
            self._reception.close()

    def kill_dul(self) -> None:
        """As pynetdicom's, also while the thread waits."""
        super().kill_dul()
        self._wake()

    def send_pdu(self, primitive: Any) -> None:
        """As pynetdicom's, also while the thread waits."""
        super().send_pdu(primitive)
        self._wake()

    def idle_timer_expired(self) -> bool:
        """Not while an instance that has come is being stored."""
        if self._reception is not None and self._reception.is_storing:
            return False
        is_over = super().idle_timer_expired()
        if is_over:
            words = f"nothing came for {self.assoc.network_timeout:g} s"
            self._ending.note(IDLE, words)
            self._on_bound(self.assoc, words)
        return is_over

    def _wake(self) -> None:
        if self.wake is not None and not self.is_this_thread:
            self.wake()

    def _pending(self) -> int:
        association = cast("BoundedAssociation", self.assoc)
        return association.serving + association.dimse.msg_queue.qsize()

    def _is_transport_event(self) -> bool:
        """While requests are waiting no more are read: the peer's own buffers hold them."""
        is_open = self.state_machine.current_state == "Sta6"
        reads_here = is_open and self._reception is not None
        self._run_loop_delay = 0.0 if reads_here else self._polls_every_s
        if not self.to_user_queue.empty() or not self.assoc.dimse.msg_queue.empty():
            cast("BoundedAssociation", self.assoc).attend()
        if self.is_adopted and self._goes_on_at_once():
            self._run_loop_delay = 0.0
            return False
        if self._pending() > _MOST_PENDING and is_open:
            time.sleep(self._polls_every_s)
            return False
        if reads_here:
            return self._receive()
        if is_open and not cast("BoundedAssociation", self.assoc).negotiated.is_set():
            return False  # what comes before those who are told of it know the association
        if self.state_machine.current_state == "Sta8":
            return False  # what comes behind a release is not read before that is answered
        return super()._is_transport_event()

    def _goes_on_at_once(self) -> bool:
        """Whether there is something to send, or nothing more to do: then it ends."""
        if self.assoc._kill and self.state_machine.current_state == "Sta1":
            super().kill_dul()
        return self._kill_thread or self._process_recv_primitive()

    def _receive(self) -> bool:
        """Wait for PDUs, and see to them as long as the state machine has nothing to do.

        Whether any came.
        """
        if not cast("BoundedAssociation", self.assoc).negotiated.wait(_TICK_S):
            return False
        came = False
        while self.event_queue.empty() and not self.to_provider_queue.queue:
            pdu = self._read(lambda transport: transport.next_pdu(_TICK_S))
            if pdu is None:
                self._rest()
                break
            came = True
            self.note_activity()
            if pdu[0] != P_DATA:
                self._take(bytearray(pdu))
            else:
                self._take_data(memoryview(pdu))
                if not self.assoc.dimse.msg_queue.empty():
                    break
        return came

    def _rest(self) -> None:
        if self._reception is not None:
            self._reception.rest()
        if self._idle_timer.expired:  # that thread ends it
            cast("BoundedAssociation", self.assoc).begin_thread()

    def _take_data(self, pdu: memoryview) -> None:
        """A P-DATA-TF; where it is not regular pynetdicom says what it is."""
        reception = cast(Reception, self._reception)
        try:
            if not reception.take(pdu):
                decoded = self._decoded(bytearray(pdu))
                if decoded is not None:
                    reception.take_fragments(decoded[0].to_primitive())
        except BoundError as error:
            self._on_bound(self.assoc, str(error))
            reception.drop()
            self.violate()
        except Exception as error:  # noqa: BLE001, the peer's bytes must not end the thread
            log.warning("a message failed", reason=explain_fault(error))
            self.violate()
        self.note_activity()

    def _read_pdu_data(self) -> None:
        """Put what arrived, and the event that it is, where the state machine finds them."""
        received = self._read(lambda transport: transport.read_pdu())
        if received is not None:
            self.note_activity()
            self._take(bytearray(received))

    def _read(
        self, read: Callable[[BoundedSocket], memoryview | bytearray | None]
    ) -> memoryview | bytearray | None:
        transport = cast(BoundedSocket, self.socket)
        try:
            return read(transport)
        except BoundError as error:
            self._on_bound(self.assoc, str(error))
            self.violate()
        except OSError:
            self._ending.note(LOST, "whose connection ended without a release")
            transport.shut()
            self.event_queue.put("Evt17")
        return None

    def _take(self, received: bytearray) -> None:
        decoded = self._decoded(received)
        if decoded is not None:
            if isinstance(decoded[0], A_ABORT_RQ):
                self._ending.note(ABORT, "which aborted it")
            self._recv_pdu.put(decoded[0])
            self.event_queue.put(decoded[1])

    def _decoded(self, received: bytearray) -> tuple[Any, str] | None:
        """A PDU and the event that it is; None where it is none, and the peer was told."""
        try:
            pdu, event = self._decode_pdu(received)
            if received[0] != P_DATA:
                pdu.to_primitive()  # the state machine does it again, where a failure ends it
        except Exception as error:  # noqa: BLE001, pynetdicom's decoders raise anything
            self._on_bound(self.assoc, f"a PDU cannot be read ({type(error).__name__})")
            self.violate()
            return None
        return pdu, event

    def violate(self) -> None:
        """The peer went too far: abort, and read nothing more of what it sends."""
        cast(BoundedSocket, self.socket).shut()
        self.event_queue.put("Evt19")
        self._wake()

    def note_activity(self) -> None:
        """A message has come or was answered: from here on nothing has come."""
        self._idle_timer.restart()
        self._ending.note_activity()

    def _send(self, pdu: Any) -> None:
        """As pynetdicom's; where nobody has said why the node aborts, a PDU was out of place."""
        if isinstance(pdu, A_ABORT_RQ):
            self._ending.note(BOUND, "as a PDU or a message came that has no place there")
        super()._send(pdu)
