"""Reports of storage commitment that peers give us, wherever they come (PS3.4 Annex J)."""

import threading
from collections.abc import Callable

import structlog
from pynetdicom import evt
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.pdu import P_DATA_TF

from core.errors import StorageUnavailableError
from imaging.instances.read_errors import BROKEN
from network.scu import storage_commitment as messages

_REPLIED_WITHIN_S = 10.0

Take = Callable[[messages.Report], bool]
"""Records a report; whether it belongs to a question of ours."""

log = structlog.get_logger("commitment")


def answer_report(event: Event, take: Take) -> tuple[int, None]:
    """What an N-EVENT-REPORT is answered with (PS3.7 section 10.1.1)."""
    try:
        report = messages.read_report(event.event_information)
    except BROKEN as error:
        log.warning("storage commitment report refused", reason=type(error).__name__)
        return messages.INVALID_ARGUMENT, None
    try:
        if take(report):
            return messages.SUCCESS, None
    except StorageUnavailableError as error:
        log.error("storage commitment report not recorded", reason=str(error))
        return messages.RESOURCE_LIMITATION, None
    log.warning("report of an unknown transaction", transaction_uid=report.transaction_uid)
    return messages.INVALID_ARGUMENT, None


class ReportsOnAssociation:
    """Those that come where they were asked for; pynetdicom takes them in a thread of its own."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._came, self._replied = threading.Event(), threading.Event()

    def handlers(self) -> list[EventHandlerType]:
        """For the association."""
        return [(evt.EVT_N_EVENT_REPORT, self._on_report), (evt.EVT_PDU_SENT, self._on_sent)]

    def finish(self) -> None:
        """Wait for the reply to what came: once a release is asked for, none may be sent.

        PS3.8 Table 9-10 has no P-DATA request in state 7.
        """
        if self._came.is_set():
            self._replied.wait(_REPLIED_WITHIN_S)

    def _on_report(self, event: Event) -> tuple[int, None]:
        self._came.set()
        return answer_report(event, self._take)

    def _on_sent(self, event: Event) -> None:
        if self._came.is_set() and isinstance(event.pdu, P_DATA_TF):
            self._replied.set()
