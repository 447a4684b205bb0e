"""Associations that peers open, on pynetdicom's state machine, with bounds where it has none.

pynetdicom reads whatever length a PDU claims, waits for it for good, collects messages without
end, and leaves a thread and a connection behind when it is surprised.
"""

from collections.abc import Callable
from typing import Any, cast

import structlog
from pynetdicom import AE
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import DimseServiceType
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import P_DATA

from core.config_wire import Wire
from core.errors import BoundError, explain_fault
from node.transport import P_DATA as P_DATA_TF
from node.transport import BoundedSocket

OnBound = Callable[[Association, str], None]
"""Called with an association that went beyond a bound, and the words."""
_COMMAND = 0x01  # bit of a message control header (PS3.8 Annex E.2)
_MOST_PENDING = 2  # requests that a peer may send ahead of our answers
_MEGABYTE = 1_000_000

log = structlog.get_logger("wire")


class BoundedAssociation(Association):
    """An association as its acceptor; whatever happens, it ends with its connection closed."""

    dul: "BoundedProvider"
    dimse: "BoundedMessages"

    def __init__(self, entity: AE, wire: Wire, on_bound: OnBound) -> None:
        super().__init__(entity, MODE_ACCEPTOR)
        self.dul = BoundedProvider(self, on_bound)
        self.dimse = BoundedMessages(self, wire, on_bound)
        self.acse_timeout = entity.acse_timeout  # set again: they are kept by the provider
        self.network_timeout = entity.network_timeout
        self.serving = 0

    def run_reactor(self) -> None:
        """The thread; pynetdicom's own leaves everything open when a peer surprises it."""
        try:
            super().run_reactor()
        except Exception as error:  # noqa: BLE001, whatever a peer sends, the node goes on
            log.warning("association failed", reason=explain_fault(error))
        finally:
            self._kill = True
            self.is_established = False
            self.dul.end()

    def _serve_request(self, msg: DimseServiceType, context_id: int) -> None:
        self.serving += 1
        try:
            super()._serve_request(msg, context_id)
        finally:
            self.serving -= 1


class BoundedProvider(DULServiceProvider):
    """The upper layer's thread of one association (PS3.8 section 9.2)."""

    def __init__(self, association: BoundedAssociation, on_bound: OnBound) -> None:
        super().__init__(association)
        self._on_bound = on_bound

    def run_reactor(self) -> None:
        """The thread; the connection does not outlive it."""
        try:
            super().run_reactor()
        except Exception as error:  # noqa: BLE001, an event that the state machine does not know
            log.warning("connection failed", reason=explain_fault(error))
        finally:
            self.assoc._dul_ready.set()
            self.close()

    def end(self) -> None:
        """Stop the thread, if it was started."""
        self.kill_dul()
        if self.is_alive():
            self.join()
        self.close()

    def close(self) -> None:
        """Close the connection where that was not done."""
        transport = self.socket
        if transport is not None and transport.socket is not None:
            transport.close()

    def _is_transport_event(self) -> bool:
        """While requests are waiting no more are read: the peer's own buffers hold them."""
        association = cast(BoundedAssociation, self.assoc)
        pending = association.serving + association.dimse.msg_queue.qsize()
        if pending > _MOST_PENDING and self.state_machine.current_state == "Sta6":
            return False
        return super()._is_transport_event()

    def _read_pdu_data(self) -> None:
        """Put what arrived, and the event that it is, where the state machine finds them."""
        transport = cast(BoundedSocket, self.socket)
        try:
            received = transport.read_pdu()
        except BoundError as error:
            self._on_bound(self.assoc, str(error))
            self.violate()
            return
        except OSError:
            transport.shut()
            self.event_queue.put("Evt17")
            return
        if received is not None:
            self._take(received)

    def _take(self, received: bytearray) -> None:
        try:
            pdu, event = self._decode_pdu(received)
            if received[0] != P_DATA_TF:
                pdu.to_primitive()  # the state machine does it again, where a failure ends it
        except Exception as error:  # noqa: BLE001, pynetdicom's decoders raise anything
            self._on_bound(self.assoc, f"a PDU cannot be read ({type(error).__name__})")
            self.violate()
            return
        self._recv_pdu.put(pdu)
        self.event_queue.put(event)

    def violate(self) -> None:
        """The peer went too far: abort, and read nothing more of what it sends."""
        cast(BoundedSocket, self.socket).shut()
        self.event_queue.put("Evt19")


class BoundedMessages(DIMSEServiceProvider):
    """Puts fragments together to messages (PS3.7 section 6.3), as far as they may grow."""

    def __init__(self, association: BoundedAssociation, wire: Wire, on_bound: OnBound) -> None:
        super().__init__(association)
        self._on_bound = on_bound
        self._longest_command = wire.maximum_command_bytes
        self._longest_data_set = wire.maximum_instance_mb * _MEGABYTE
        self._command = self._data_set = 0

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

    def _count(self, primitive: P_DATA) -> None:
        for _, fragment in primitive.presentation_data_value_list:
            if not fragment:
                raise BoundError("a fragment without its header")
            if fragment[0] & _COMMAND:
                self._command += len(fragment) - 1
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
