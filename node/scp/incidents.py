"""What the wire turned away: a line in the log and an event, however often it is tried."""

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
_FIGURES = re.compile(r"[0-9A-F]+")  # those that a peer made up are no other incident

log = structlog.get_logger("wire")


class Incidents:
    """Tells of each kind from one address once a minute, so that nobody can fill log and ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told_at: dict[tuple[str, str], float] = {}
        self._untold: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def rejected(self, sender: Sender, reason: object, words: str) -> None:
        """An association that was asked for and not given; `reason` as the peer was told it."""
        told = self._to_tell((sender.address, f"{EventKind.REJECTED} {reason}"), words)
        if told:
            log.warning("association rejected", reason=told, address=sender.address)
            self._record(EventKind.REJECTED, told, sender)

    def beyond_bound(self, address: str, words: str) -> None:
        """A connection that was ended because its peer went beyond a bound."""
        told = self._to_tell((address, _FIGURES.sub("", words)), f"{address}: {words}")
        if told:
            log.warning("connection ended", reason=told)
            self._record(EventKind.BOUND, told)

    def _to_tell(self, key: tuple[str, str], words: str) -> str:
        """The words, with how many were passed over since the last time; empty for another one."""
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
            log.error("what was turned away is not recorded", reason=str(error))
