"""Take storage commitment reports of peers, on any association (PS3.4 J.3.3)."""

from collections.abc import Callable

import structlog
from pydicom.dataset import Dataset

from core.errors import StorageUnavailableError
from imaging.instances.element_words import told_uid
from imaging.instances.read_errors import BROKEN
from network.scu import storage_commitment as messages

_EXPECTED = "expected TransactionUID and references (PS3.4 J.3.3.1), found others"
Take = Callable[[messages.Report], bool]
"""Records a report; returns False if no request of this node has its Transaction UID."""

log = structlog.get_logger("commitment")


def answer_report(event_type: int | None, read: Callable[[], Dataset], take: Take) -> int:
    """Take an N-EVENT-REPORT (PS3.7 10.1.1); returns the status.

    `read` decodes the Event Information, `take` records the report.
    """
    if event_type not in (messages.ALL_COMMITTED, messages.FAILURES_EXIST):
        log.warning("storage commitment report refused", event_type=event_type)
        return messages.NO_SUCH_EVENT
    try:
        report = messages.read_report(read())
    except BROKEN:
        log.warning("storage commitment report refused", reason=_EXPECTED)
        return messages.INVALID_ARGUMENT
    try:
        if take(report):
            return messages.SUCCESS
    except StorageUnavailableError as error:
        log.error("storage commitment report not recorded", reason=str(error))
        return messages.RESOURCE_LIMITATION
    log.warning(
        "report of an unknown transaction", transaction_uid=told_uid(report.transaction_uid)
    )
    return messages.INVALID_ARGUMENT
