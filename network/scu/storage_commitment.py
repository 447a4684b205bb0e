"""Encode, decode and send storage commitment requests and reports (PS3.4 Annex J)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset

from core.errors import SendError
from core.uids import is_safe_uid
from network.scu.dialogue import Dialogue
from network.statuses import words_of
from network.upper_layer.dimse import (
    ACTION_TYPE,
    AFFECTED_CLASS,
    AFFECTED_INSTANCE,
    EVENT_TYPE,
    FIELD,
    N_ACTION_RQ,
    N_EVENT_REPORT_RQ,
    REQUESTED_CLASS,
    REQUESTED_INSTANCE,
    Values,
)

PUSH_MODEL = "1.2.840.10008.1.20.1"
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"
REQUEST_COMMITMENT = 1
"""Action Type ID of the only action (Table J.3-1)."""
ALL_COMMITTED, FAILURES_EXIST = 1, 2
"""Event Type IDs (Table J.3-2)."""
PROCESSING_FAILURE, NO_SUCH_INSTANCE, CLASS_CONFLICT = 0x0110, 0x0112, 0x0119
"""Failure Reasons (PS3.3 C.14.1.1)."""

SUCCESS, INVALID_ARGUMENT, RESOURCE_LIMITATION = 0x0000, 0x0115, 0x0213
NO_SUCH_EVENT, NO_SUCH_ACTION, NO_SUCH_CLASS = 0x0113, 0x0123, 0x0118
"""Statuses (PS3.7 Annex C)."""

References = Mapping[str, str]
"""SOP Instance UID to SOP Class UID."""


@dataclass(frozen=True, slots=True)
class Report:
    """A peer's answer to a transaction: what it commits to keep, and what not."""

    transaction_uid: str
    committed: Collection[str]
    failed: Mapping[str, int]
    """SOP Instance UID to Failure Reason."""


def request(transaction_uid: str, references: References) -> Dataset:
    """Action Information of a request (PS3.4 Table J.3-1)."""
    data_set = Dataset()
    data_set.TransactionUID = transaction_uid
    data_set.ReferencedSOPSequence = _items(references)
    return data_set


def read_request(data_set: Dataset) -> tuple[str, dict[str, str]]:
    """Read Transaction UID and references of a request.

    Raises:
        ValueError: one of them is missing, or no UID: what is kept of a request is bounded.
    """
    transaction_uid = str(data_set.get("TransactionUID", ""))
    references = {
        str(item.get("ReferencedSOPInstanceUID", "")): str(item.get("ReferencedSOPClassUID", ""))
        for item in data_set.get("ReferencedSOPSequence") or ()
    }
    uids = (transaction_uid, *references, *references.values())
    if not references or not all(map(is_safe_uid, uids)):
        raise ValueError("TransactionUID or ReferencedSOPSequence is missing, or no UID")
    return transaction_uid, references


def report(transaction_uid: str, references: References, failed: Mapping[str, int]) -> Dataset:
    """Event Information of a report (PS3.4 Table J.3-2)."""
    data_set = Dataset()
    data_set.TransactionUID = transaction_uid
    kept = {uid: sop_class for uid, sop_class in references.items() if uid not in failed}
    if kept:
        data_set.ReferencedSOPSequence = _items(kept)
    if failed:
        data_set.FailedSOPSequence = _items({uid: references[uid] for uid in failed})
        for item in data_set.FailedSOPSequence:
            item.FailureReason = failed[str(item.ReferencedSOPInstanceUID)]
    return data_set


def read_report(data_set: Dataset) -> Report:
    """Read the Event Information of a report."""
    committed = data_set.get("ReferencedSOPSequence") or ()
    failed = data_set.get("FailedSOPSequence") or ()
    return Report(
        transaction_uid=str(data_set.get("TransactionUID", "")),
        committed=[str(item.get("ReferencedSOPInstanceUID", "")) for item in committed],
        failed={
            str(item.get("ReferencedSOPInstanceUID", "")): int(item.get("FailureReason") or 0)
            for item in failed
        },
    )


def request_commitment(dialogue: Dialogue, transaction_uid: str, references: References) -> None:
    """Send a request by N-ACTION; raises SendError if the peer does not accept it."""
    values: Values = {
        REQUESTED_CLASS: PUSH_MODEL,
        FIELD: N_ACTION_RQ,
        REQUESTED_INSTANCE: PUSH_MODEL_INSTANCE,
        ACTION_TYPE: REQUEST_COMMITMENT,
    }
    context = dialogue.context_of(PUSH_MODEL)
    answer = dialogue.ask(context, values, request(transaction_uid, references))
    if answer.command.status != SUCCESS:
        words = _words(answer.command.status)
        raise SendError(f"{dialogue.peer} answered a storage commitment request with {words}")


def report_commitment(dialogue: Dialogue, information: Dataset, event_type: int) -> None:
    """Send a report by N-EVENT-REPORT as SCP; raises SendError if the peer does not accept it."""
    values: Values = {
        AFFECTED_CLASS: PUSH_MODEL,
        FIELD: N_EVENT_REPORT_RQ,
        AFFECTED_INSTANCE: PUSH_MODEL_INSTANCE,
        EVENT_TYPE: event_type,
    }
    context = dialogue.context_of(PUSH_MODEL, as_scp=True)
    answer = dialogue.ask(context, values, information)
    if answer.command.status != SUCCESS:
        words = _words(answer.command.status)
        raise SendError(f"{dialogue.peer} answered the commitment report with {words}")


def _words(status: int | None) -> str:
    return "no status" if status is None else words_of(status)


def _items(references: References) -> list[Dataset]:
    items = []
    for uid, sop_class in references.items():
        item = Dataset()
        item.ReferencedSOPClassUID = sop_class
        item.ReferencedSOPInstanceUID = uid
        items.append(item)
    return items
