"""The services of one association that a peer opened, and the record of its life."""

from collections.abc import Callable

import structlog

from core.errors import explain_fault
from network.dimse import C_STORE_RQ, N_ACTION_RQ, N_EVENT_REPORT_RQ, CommandSet
from network.endings import Cause, Ending
from network.messages import DataSetInMemory, DataSetSink, Message
from network.negotiation import Context
from network.scp import Status
from network.scu.storage_commitment import PUSH_MODEL
from node.ledger.tables.ends import End
from node.scp.association_record import AssociationRecord
from node.scp.c_store import CStoreScp
from node.scp.n_action import CommitmentService

log = structlog.get_logger("receive")


class AssociationServices:
    """C-STORE, N-ACTION and N-EVENT-REPORT; as `network.scp.Services` used by one thread."""

    def __init__(
        self,
        record: AssociationRecord,
        storage: CStoreScp,
        commitment: CommitmentService | None,
        *,
        on_told: Callable[[AssociationRecord], None],
    ) -> None:
        """`on_told` is called once the ledger knows how the association ended."""
        self._record = record
        self._storage = storage
        self._commitment = commitment
        self._on_told = on_told

    def open_sink(self, context: Context, command: CommandSet, /) -> DataSetSink:
        """Memory, and a file for what is large, for instances; memory alone for the rest."""
        if command.field == C_STORE_RQ:
            return self._storage.open_spool(context, command)
        return DataSetInMemory()

    def answer(self, message: Message, /) -> Status | None:
        """Status and comment; None for a command that is served nowhere."""
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

    def rest(self) -> None:
        """Nothing has come for a while: what is logged gets its files."""
        try:
            self._storage.rest()
        except Exception as error:  # noqa: BLE001, a disk may refuse to close a log
            log.warning("log not closed well", reason=explain_fault(error))

    def released(self) -> bool:
        """Record a release before it is answered: a peer that got the answer may rely on it."""
        self.rest()
        return self._told(self._record.release())

    def ended(self, ending: Ending, /) -> None:
        """Record every other end; a release was recorded before."""
        if ending.cause == Cause.RELEASE:
            return
        self.rest()
        end = End(ending.cause.value, ending.words, ending.half, ending.quiet_s)
        self._told(self._record.end(end))

    def _told(self, is_told: bool) -> bool:
        if is_told:
            self._on_told(self._record)
        return is_told
