"""Reports of storage commitment that come on the association on which they were asked for."""

import threading
from collections.abc import Callable

from pynetdicom import evt
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.pdu import P_DATA_TF

from node import commitment_messages as messages

_SUCCESS, _INVALID_ARGUMENT = 0x0000, 0x0115
_REPLIED_WITHIN_S = 10.0


class ReportsHere:
    """Takes them, in a thread of pynetdicom's."""

    def __init__(self, take: Callable[[messages.Report], bool]) -> None:
        """`take` answers whether a report belongs to a question of ours."""
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
        is_ours = self._take(messages.read_report(event.event_information))
        return _SUCCESS if is_ours else _INVALID_ARGUMENT, None

    def _on_sent(self, event: Event) -> None:
        if self._came.is_set() and isinstance(event.pdu, P_DATA_TF):
            self._replied.set()
