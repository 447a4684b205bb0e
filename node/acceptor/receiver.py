"""The C-STOREs of one association, from its P-DATA-TFs to the answers.

Everything else goes to pynetdicom as it came, and so does a C-STORE that is unusual in any way:
its command set is kept until it is whole, as only then it is known what the message is.
"""

from collections.abc import Callable
from typing import Protocol

import structlog
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import uid_to_service_class

from core.config.wire import Wire
from core.errors import BoundError, explain_fault
from network.command_sets import (
    COMMAND,
    HEADER_BYTES,
    LAST,
    Fragment,
    StoreRequest,
    check_context,
    command_pdus,
    fragments_of,
    read_store_request,
    store_response,
)
from node.scp.spool import Spool
from node.wal.writer import Log

_MEGABYTE = 1_000_000
_HANDLER_FAILED = 0xC211  # as pynetdicom answers

log = structlog.get_logger("receive")


class StoreService(Protocol):
    """What is done with data sets; `node.scp.c_store.StorageService` is one."""

    def open_log(self) -> Log:
        """For one association."""

    def begin(self, request: StoreRequest, transfer_syntax_uid: str) -> Spool:
        """Where a data set goes."""

    def finish(
        self,
        association: Association,
        request: StoreRequest,
        transfer_syntax_uid: str,
        *,
        spool: Spool,
        log: Log,
    ) -> tuple[int, str]:
        """Status and comment for a data set that is here."""


class Reception:
    """Used by the one thread that reads from the association's connection."""

    def __init__(
        self,
        association: Association,
        wire: Wire,
        service: StoreService,
        *,
        send: Callable[[bytes], None],
        is_busy: Callable[[], bool],
    ) -> None:
        """`send` writes PDUs; `is_busy` says that pynetdicom still has to answer something."""
        self._association = association
        self._service = service
        self._send = send
        self._is_busy = is_busy
        self._log = service.open_log()
        self._longest_command = wire.maximum_command_bytes
        self._longest_data_set = wire.maximum_instance_mb * _MEGABYTE
        self._command: list[Fragment] = []
        self._command_bytes = 0
        self._request: StoreRequest | None = None
        self._context_id = 0
        self._spool: Spool | None = None
        self._is_storing = False

    @property
    def half(self) -> str:
        """What of a message is here without the rest or its answer, in words; empty: nothing."""
        if self._is_storing:
            return "an instance without its answer"
        if self._request is not None and self._spool is not None:
            size = self._spool.size
            return (
                f"half a data set ({size} bytes)" if size else "a command set without its data set"
            )
        return "half a command set" if self._command else ""

    @property
    def is_storing(self) -> bool:
        """Whether a data set that is here has no answer yet."""
        return self._is_storing

    def take(self, pdu: memoryview) -> bool:
        """Whether the fragments of a P-DATA-TF were seen to; else pynetdicom is to have it whole.

        Raises:
            BoundError: a message goes beyond a bound, or makes no sense.
        """
        fragments = fragments_of(pdu)
        if fragments is None:
            return False
        for fragment in fragments:
            self._take(fragment)
        return True

    def take_fragments(self, primitive: P_DATA) -> None:
        """The same for what pynetdicom made of a PDU that is not regular."""
        for context_id, content in primitive.presentation_data_value_list:
            if not content:
                raise BoundError("a fragment without its header")
            self._take(Fragment(context_id, content[0], memoryview(content)[1:]))

    def rest(self) -> None:
        """Nothing has come for a while: what is logged gets its files."""
        if self._request is None:
            self._log.close()

    def drop(self) -> None:
        """What is half here goes."""
        self._command, self._command_bytes = [], 0
        if self._spool is not None:
            self._spool.close()
        self._spool = self._request = None

    def close(self) -> None:
        """Nothing comes any more."""
        self.drop()
        self._log.close()

    def _take(self, fragment: Fragment) -> None:
        if self._request is not None:
            self._take_data(fragment)
        elif fragment.control & COMMAND and self._association.dimse.message is None:
            self._take_command(fragment)
        else:
            self._pass_on([fragment])

    def _take_command(self, fragment: Fragment) -> None:
        """Kept, as the buffer of the PDU is used again."""
        kept = fragment._replace(content=memoryview(bytes(fragment.content)))
        self._command.append(kept)
        check_context(kept.context_id, self._command[0].context_id)
        self._command_bytes += len(kept.content) + HEADER_BYTES  # many empty ones are long, too
        if self._command_bytes > self._longest_command:
            raise BoundError(f"a command set is longer than {self._longest_command} bytes")
        if not fragment.control & LAST:
            return
        command, self._command, self._command_bytes = self._command, [], 0
        request = read_store_request(b"".join(one.content for one in command))
        if request is None or not self._is_ours(request, fragment.context_id):
            self._pass_on(command)
            return
        self._request, self._context_id = request, fragment.context_id
        self._spool = self._service.begin(request, self._transfer_syntax())

    def _is_ours(self, request: StoreRequest, context_id: int) -> bool:
        context = self._association._accepted_cx.get(context_id)
        return (
            context is not None
            and context.abstract_syntax == request.sop_class_uid
            and uid_to_service_class(request.sop_class_uid) is StorageServiceClass
            and not self._association.acceptor.accepted_common_extended
            and not self._is_busy()
        )

    def _transfer_syntax(self) -> str:
        return str(self._association._accepted_cx[self._context_id].transfer_syntax[0])

    def _take_data(self, fragment: Fragment) -> None:
        spool = self._spool
        if spool is None or fragment.control & COMMAND:
            raise BoundError("a message cannot be read (a command set within a data set)")
        check_context(fragment.context_id, self._context_id)
        if spool.size + len(fragment.content) > self._longest_data_set:
            megabytes = self._longest_data_set // _MEGABYTE
            raise BoundError(f"a data set is longer than {megabytes} MB")
        spool.write(fragment.content)
        if fragment.control & LAST:
            self._answer(spool)

    def _answer(self, spool: Spool) -> None:
        request = self._request
        if request is None:
            return
        self._is_storing = True
        try:
            status, comment = self._service.finish(
                self._association, request, self._transfer_syntax(), spool=spool, log=self._log
            )
        except Exception as error:  # noqa: BLE001, as pynetdicom: the peer gets an answer
            log.error("instance not stored", fault=explain_fault(error))
            status, comment = _HANDLER_FAILED, ""
        finally:
            self.drop()
        longest = self._association.requestor.maximum_length or 0
        command = store_response(request, status, comment)
        try:
            self._send(command_pdus(command, self._context_id, longest))
        finally:
            self._association.dul._idle_timer.restart()  # before it may expire again
            self._is_storing = False

    def _pass_on(self, fragments: list[Fragment]) -> None:
        """To pynetdicom, which puts fragments together by itself."""
        primitive = P_DATA()
        primitive.presentation_data_value_list = []  # which takes pairs only one at a time
        primitive.presentation_data_value_list.extend(
            (one.context_id, b"".join((bytes((one.control,)), one.content))) for one in fragments
        )
        self._association.dimse.receive_primitive(primitive)
