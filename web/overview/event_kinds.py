"""Which kinds of events there are, to choose from; each event is looked at once by a process."""

import threading

from sqlalchemy import func, select

from node.ledger.database import Ledger
from node.ledger.schema import events


class EventKinds:
    """Kinds do not go away with retention; a million events take half a second, once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: set[str] = set()
        self._last = 0
        self._lock = threading.Lock()

    def all(self) -> list[str]:
        """In the order of the alphabet."""
        with self._lock, self._ledger.reading() as connection:
            last = connection.scalar(select(func.max(events.c.id))) or 0
            new = (events.c.id > self._last) & (events.c.id <= last)
            self._known.update(connection.scalars(select(events.c.kind).where(new).distinct()))
            self._last = last
            return sorted(self._known)
