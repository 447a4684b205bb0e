"""Services of one association that a peer opened: C-STORE (PS3.4 Annex B), commitment, its end."""

import re
from collections.abc import Callable, Set

import structlog

from core.errors import (
    InstanceError,
    StorageUnavailableError,
    UidMismatchError,
    explain_fault,
)
from core.log import BoundedLog
from core.priority import Priority
from core.uids import fault_of_uid
from imaging.instances.element_words import told_uid
from network.endings import Cause, Ending
from network.file_meta import encode_file_meta
from network.scp import Status
from network.scu.storage_commitment import PUSH_MODEL
from network.upper_layer.dimse import (
    C_STORE_RQ,
    N_ACTION_RQ,
    N_EVENT_REPORT_RQ,
    SOP_CLASS_NOT_SUPPORTED,
    CommandSet,
)
from network.upper_layer.messages import DataSetInMemory, DataSetSink, Message
from network.upper_layer.negotiation import Context
from node.ledger.row_states import EndCause
from node.ledger.tables.ends import End
from node.scp.association_record import AssociationRecord
from node.scp.instance_store import DIFFERENT, InstanceStore, ReceivedInstance
from node.scp.n_action import CommitmentService
from node.scp.refusals import refusal_of
from node.scp.spool import Spool
from node.wal.writer import WriteAheadLog

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
PROCESSING_FAILURE = 0xC211
"""Status for a fault of the node itself, the one that pynetdicom uses."""
_COMMENT_LENGTH = 64  # LO
_TAG = re.compile(r"\([0-9A-F]{4},[0-9A-F]{4}\) (?=[A-Z][A-Za-z]+:)")
_LONGEST_REASON = 500
_MOST_LINES = 100

log = structlog.get_logger("receive")


class CStoreScp:
    """Stores the instances of one association; used by its thread alone."""

    def __init__(
        self, instance_store: InstanceStore, record: AssociationRecord, classes: Set[str]
    ) -> None:
        """`classes` are the SOP Class UIDs whose instances are stored."""
        self._instance_store = instance_store
        self._record = record
        self._classes = classes
        self._log: WriteAheadLog = instance_store.wal_writer.open()
        self._told = BoundedLog(log, _MOST_LINES)

    def open_spool(self, context: Context, command: CommandSet) -> Spool:
        """Make the spool for an instance's data set."""
        syntax = context.transfer_syntax
        return Spool(
            self._instance_store.folder,
            encode_file_meta(command.sop_class_uid, command.sop_instance_uid, syntax),
            syntax,
            check_disk=self._instance_store.watermark.check,
        )

    def store(self, message: Message) -> Status:
        """Store a received instance; returns status (PS3.4 Table B.2-1) and comment."""
        context, command = message.context, message.command
        if not {command.sop_class_uid, context.abstract_syntax} <= self._classes:
            return SOP_CLASS_NOT_SUPPORTED, "no storage SOP class"
        spool = message.data_set
        if isinstance(spool, Spool):
            return self._store(context, command, spool)
        empty = self.open_spool(context, command)  # a request without a data set
        try:
            return self._store(context, command, empty)
        finally:
            empty.close()

    def on_pause(self) -> None:
        """Leave the log, so that its instances get their files."""
        self._log.close()

    def finish(self) -> None:
        """Say what the end of the association leaves to be said."""
        self._told.finish()

    def _store(self, context: Context, command: CommandSet, spool: Spool) -> Status:
        uid, syntax = command.sop_instance_uid, context.transfer_syntax

        def received() -> ReceivedInstance:
            if fault := fault_of_uid(uid):
                raise InstanceError(f"AffectedSOPInstanceUID {fault}")
            return ReceivedInstance(
                association=self._record.key(),
                sop_class_uid=command.sop_class_uid,
                sop_instance_uid=uid,
                transfer_syntax_uid=syntax,
                file_meta=spool.file_meta,
                data_set=spool.data_set(),
                sha256=spool.sha256(),
                path=spool.path,
                priority=Priority.on_the_wire(command.priority),
            )

        def refuse(status: int, error: Exception) -> None:
            self._record.refuse(refusal_of(uid, spool.head(), syntax, f"0x{status:04X}, {error}"))

        def receive() -> str:
            return self._instance_store.receive(received(), self._log)

        return _outcome(receive, told_uid(uid), refuse, told=self._told)


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
        self._storage.finish()
        if is_recorded:
            self._on_recorded(self._record)
        return is_recorded


def _outcome(
    receive: Callable[[], str],
    uid: str,
    refuse: Callable[[int, Exception], None],
    *,
    told: BoundedLog,
) -> Status:
    """Store an instance with the checked `uid`; returns status and comment."""
    try:
        if receive() == DIFFERENT:
            told.warning("instance arrived with other content", sop_instance_uid=uid)
        return SUCCESS, ""
    except (InstanceError, StorageUnavailableError) as error:
        status = _status_of(error)
        refuse(status, error)
        reason = str(error)[:_LONGEST_REASON]
        told.warning(
            "instance refused", sop_instance_uid=uid, status=f"0x{status:04X}", reason=reason
        )
        return status, _comment(reason.removeprefix(f"Instance {uid}: "))
    except Exception as error:  # noqa: BLE001, whatever it is, the instance is not stored
        told.error("instance not stored", sop_instance_uid=uid, fault=explain_fault(error))
        refuse(PROCESSING_FAILURE, InstanceError("it could not be stored"))
        return PROCESSING_FAILURE, ""


def _status_of(error: InstanceError | StorageUnavailableError) -> int:
    if isinstance(error, UidMismatchError):
        return DOES_NOT_MATCH
    return CANNOT_UNDERSTAND if isinstance(error, InstanceError) else OUT_OF_RESOURCES


def _comment(reason: str) -> str:
    """The reason in ASCII, in at most 64 characters (VR LO)."""
    words = reason.removeprefix("not a readable data set: ")
    words = words.partition("; ")[0]  # what to do about it stays here
    return _fitting(words.encode("ascii", "replace").decode())


def _fitting(words: str) -> str:
    """A reason that fits: without the tag beside the keyword, and up to the end of a part."""
    if len(words) <= _COMMENT_LENGTH:
        return words
    words = _TAG.sub("", words)
    if len(words) <= _COMMENT_LENGTH:
        return words
    cut = words[: _COMMENT_LENGTH + 1]
    for end in (", ", ": ", " "):
        if end in cut:
            return cut.rpartition(end)[0]
    return words[:_COMMENT_LENGTH]
