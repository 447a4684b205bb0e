"""What the listener answers to C-STORE (PS3.4 Annex B), by either way that the bytes come."""

from collections.abc import Callable
from io import BytesIO
from typing import cast

import structlog
from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode_file_meta as encode_dataset
from pynetdicom.events import Event

from core.errors import (
    InstanceError,
    StorageUnavailableError,
    UidMismatchError,
    explain_fault,
)
from network.command_sets import StoreRequest
from node.scp.file_meta import encode_file_meta
from node.scp.inbox import DIFFERENT, Arrival, Inbox
from node.scp.refusals import HEAD_BYTES, Refusal, refusal_of
from node.scp.spool import Spool
from node.wal.writer import Log

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
PROCESSING_FAILURE = 0xC211
"""As pynetdicom answers where a handler fails."""
_COMMENT_LENGTH = 64  # LO
_PREAMBLE = b"\x00" * 128 + b"DICM"

log = structlog.get_logger("receive")


class StorageService:
    """Stores what comes; the status and its words are what the peer gets (Table B.2-1)."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        key_of: Callable[[Association], int],
        on_refused: Callable[[Association, Refusal], None],
    ) -> None:
        """`key_of` answers the ledger's id of an association, or raises StorageUnavailableError."""
        self._inbox = inbox
        self._key_of = key_of
        self._on_refused = on_refused

    def on_c_store(self, event: Event) -> int | Dataset:
        """What pynetdicom has read."""
        request = cast(C_STORE, event.request)
        uid, syntax = str(request.AffectedSOPInstanceUID), str(event.context.transfer_syntax)
        content = request.DataSet or BytesIO()  # none where none is announced

        def arrival() -> Arrival:
            return Arrival(
                association=self._key_of(event.assoc),
                sop_class_uid=str(request.AffectedSOPClassUID),
                sop_instance_uid=uid,
                transfer_syntax_uid=syntax,
                file_meta=_PREAMBLE + encode_dataset(event.file_meta),
                data_set=content.getvalue(),
            )

        def refuse(status: int, error: Exception) -> None:
            head = bytes(content.getbuffer()[:HEAD_BYTES])
            self._on_refused(event.assoc, refusal_of(uid, head, syntax, f"0x{status:04X}, {error}"))

        status, comment = _outcome(lambda: self._inbox.receive(arrival()), uid, refuse)
        if status == SUCCESS:
            return SUCCESS
        answer = Dataset()
        answer.Status, answer.ErrorComment = status, comment
        return answer

    def open_log(self) -> Log:
        """For one association that is read by ourselves."""
        return self._inbox.logbook.open()

    def begin(self, request: StoreRequest, transfer_syntax_uid: str) -> Spool:
        """Where its data set goes."""
        uids = (request.sop_class_uid, request.sop_instance_uid, transfer_syntax_uid)
        return Spool(
            self._inbox.folder,
            encode_file_meta(*uids),
            transfer_syntax_uid,
            check_disk=self._inbox.watermark.check,
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
        """Status and comment; nothing of it is needed any more then."""
        uid = request.sop_instance_uid

        def arrival() -> Arrival:
            return Arrival(
                association=self._key_of(association),
                sop_class_uid=request.sop_class_uid,
                sop_instance_uid=uid,
                transfer_syntax_uid=transfer_syntax_uid,
                file_meta=spool.file_meta,
                data_set=spool.data_set(),
                sha256=spool.sha256(),
                path=spool.path,
            )

        def refuse(status: int, error: Exception) -> None:
            words = f"0x{status:04X}, {error}"
            refusal = refusal_of(uid, spool.head(), transfer_syntax_uid, words)
            self._on_refused(association, refusal)

        return _outcome(lambda: self._inbox.receive(arrival(), log), uid, refuse)


def _outcome(
    receive: Callable[[], str], sop_instance_uid: str, refuse: Callable[[int, Exception], None]
) -> tuple[int, str]:
    try:
        if receive() == DIFFERENT:
            log.warning("instance arrived with other content", sop_instance_uid=sop_instance_uid)
        return SUCCESS, ""
    except (InstanceError, StorageUnavailableError) as error:
        status = _status_of(error)
        refuse(status, error)
        return status, _comment(status, sop_instance_uid, error)
    except Exception as error:  # noqa: BLE001, whatever it is, the instance is not here
        fault = explain_fault(error)
        log.error("instance not stored", sop_instance_uid=sop_instance_uid, fault=fault)
        refuse(PROCESSING_FAILURE, InstanceError("it could not be stored"))
        return PROCESSING_FAILURE, ""


def _status_of(error: InstanceError | StorageUnavailableError) -> int:
    if isinstance(error, UidMismatchError):
        return DOES_NOT_MATCH
    return CANNOT_UNDERSTAND if isinstance(error, InstanceError) else OUT_OF_RESOURCES


def _comment(status: int, sop_instance_uid: str, error: Exception) -> str:
    """The reason of a failure, as far as 64 characters go."""
    log.warning(
        "instance refused",
        sop_instance_uid=sop_instance_uid,
        status=f"0x{status:04X}",
        reason=str(error),
    )
    words = str(error).removeprefix(f"Instance {sop_instance_uid}: ")
    return words.encode("ascii", "replace").decode()[:_COMMENT_LENGTH]
