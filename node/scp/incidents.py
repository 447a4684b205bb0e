"""Record rejected associations and exceeded bounds in log and ledger, without repetitions."""

import re
import threading
import time

import structlog

from core.errors import StorageUnavailableError
from network.sender import Sender
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import record_rejection

_TELL_AGAIN_AFTER_S = 60.0
_MOST_KEPT = 1000
_FIGURES = re.compile(r"[0-9A-F]+")  # numbers that a peer chose make no incident of another kind

log = structlog.get_logger("wire")


class Incidents:
    """Records each kind from one address once a minute, so that no peer can fill log and ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told_at: dict[tuple[str, str], float] = {}
        self._untold: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def rejected(self, sender: Sender, reason: object, words: str) -> None:
        """Record a rejected association; `reason` has the fields of the A-ASSOCIATE-RJ."""
        told = self._to_tell((sender.address, f"{EventKind.REJECTED} {reason}"), words)
        if told:
            log.warning("association rejected", reason=told, address=sender.address)
            self._record(EventKind.REJECTED, told, sender)

    def beyond_bound(self, address: str, words: str) -> None:
        """Record a connection that was ended because its peer exceeded a bound."""
        told = self._to_tell((address, _FIGURES.sub("", words)), f"{address}: {words}")
        if told:
            log.warning("connection ended", reason=told)
            self._record(EventKind.BOUND, told)

    def _to_tell(self, key: tuple[str, str], words: str) -> str:
        """The words, with the number of repetitions before; empty for a repetition."""
        now = time.monotonic()
        with self._lock:
            if now - self._told_at.get(key, -_TELL_AGAIN_AFTER_S) < _TELL_AGAIN_AFTER_S:
                self._untold[key] = self._untold.get(key, 0) + 1
                return ""
            if len(self._told_at) >= _MOST_KEPT:
                self._told_at.clear()
                self._untold.clear()
            self._told_at[key] = now
            untold = self._untold.pop(key, 0)
        return f"{words} (and {untold} times before)" if untold else words

    def _record(self, kind: EventKind, words: str, sender: Sender | None = None) -> None:
        try:
            now = self._ledger.clock()
            with self._ledger.writing() as connection:
                if sender is not None:
                    record_rejection(connection, sender, now, words)
                record_event(connection, kind, words, now=now)
        except StorageUnavailableError as error:
            log.error("rejection or exceeded bound not recorded", reason=str(error))
