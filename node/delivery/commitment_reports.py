"""Reports of storage commitment that peers give us, wherever they come (PS3.4 Annex J)."""

from collections.abc import Callable

import structlog
from pydicom.dataset import Dataset

from core.errors import StorageUnavailableError
from imaging.instances.read_errors import BROKEN
from network.scu import storage_commitment as messages

Take = Callable[[messages.Report], bool]
"""Records a report; whether it belongs to a question of ours."""

log = structlog.get_logger("commitment")


def answer_report(read: Callable[[], Dataset], take: Take) -> int:
    """The status for an N-EVENT-REPORT (PS3.7 section 10.1.1) whose information `read` decodes."""
    try:
        report = messages.read_report(read())
    except BROKEN as error:
        log.warning("storage commitment report refused", reason=type(error).__name__)
        return messages.INVALID_ARGUMENT
    try:
        if take(report):
            return messages.SUCCESS
    except StorageUnavailableError as error:
        log.error("storage commitment report not recorded", reason=str(error))
        return messages.RESOURCE_LIMITATION
    log.warning("report of an unknown transaction", transaction_uid=report.transaction_uid)
    return messages.INVALID_ARGUMENT
