"""Services of one association that a peer opened, and the record of its end."""

from collections.abc import Callable

import structlog

from core.errors import explain_fault
from network.endings import Cause, Ending
from network.scp import Status
from network.scu.storage_commitment import PUSH_MODEL
from network.upper_layer.dimse import C_STORE_RQ, N_ACTION_RQ, N_EVENT_REPORT_RQ, CommandSet
from network.upper_layer.messages import DataSetInMemory, DataSetSink, Message
from network.upper_layer.negotiation import Context
from node.ledger.row_states import EndCause
from node.ledger.tables.ends import End
from node.scp.association_record import AssociationRecord
from node.scp.c_store import CStoreScp
from node.scp.n_action import CommitmentService

log = structlog.get_logger("receive")


class AssociationServices:
    """C-STORE, N-ACTION and N-EVENT-REPORT; `network.scp.Services`, for one thread."""

    def __init__(
        self,
        record: AssociationRecord,
        storage: CStoreScp,
        commitment: CommitmentService | None,
        *,
        on_recorded: Callable[[AssociationRecord], None],
    ) -> None:
        """`on_recorded` is called when the ledger has the end of the association."""
        self._record = record
        self._storage = storage
        self._commitment = commitment
        self._on_recorded = on_recorded

    def open_sink(self, context: Context, command: CommandSet, /) -> DataSetSink:
        """Make a spool for an instance, and a sink in memory for any other data set."""
        if command.field == C_STORE_RQ:
            return self._storage.open_spool(context, command)
        return DataSetInMemory()

    def answer(self, message: Message, /) -> Status | None:
        """Carry out a request; None for a command that no service knows.

        Storage commitment is served in its own presentation context only (PS3.4 J.3).
        """
        field, commitment = message.command.field, self._commitment
        if field == C_STORE_RQ:
            return self._storage.store(message)
        if commitment is None or message.context.abstract_syntax != PUSH_MODEL:
            return None
        if field == N_ACTION_RQ:
            return commitment.on_action(self._record.sender, message), ""
        if field == N_EVENT_REPORT_RQ:
            return commitment.on_report(message), ""
        return None

    def on_pause(self) -> None:
        """Leave the log, so that its instances get their files."""
        try:
            self._storage.on_pause()
        except Exception as error:  # noqa: BLE001, a disk may refuse to close a log
            log.warning("log not closed well", reason=explain_fault(error))

    def record_release(self) -> bool:
        """Record a release before it is answered, as the peer may rely on the answer."""
        self.on_pause()
        return self._notify(self._record.release())

    def record_end(self, ending: Ending, /) -> None:
        """Record every end but a release, which was recorded before it was answered."""
        if ending.cause == Cause.RELEASE:
            return
        self.on_pause()
        end = End(EndCause(ending.cause), ending.words, ending.partial, ending.quiet_s)
        self._notify(self._record.end(end))

    def _notify(self, is_recorded: bool) -> bool:
        if is_recorded:
            self._on_recorded(self._record)
        return is_recorded
