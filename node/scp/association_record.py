"""One association in the ledger, from its acceptance to its end."""

import threading
from collections.abc import Callable, Sequence

import structlog

from core.errors import StorageUnavailableError
from network.sender import Sender
from node.ledger.database import Ledger
from node.ledger.group_commit import GroupCommit
from node.ledger.tables.ends import RELEASE, End, describe_end
from node.ledger.tables.instances import RELEASED, open_association
from node.scp.refusals import Refusal

log = structlog.get_logger("receive")

OnEnd = Callable[[int, str, Sequence[Refusal]], None]
"""Called with the ledger's id of an association, how it ended, and what of it was refused."""


class AssociationRecord:
    """What the ledger is told of one association; while it is away, what is still to be told."""

    def __init__(
        self, sender: Sender, ledger: Ledger, openings: GroupCommit, on_end: OnEnd
    ) -> None:
        """`openings` records associations together with others."""
        self.sender = sender
        self._ledger = ledger
        self._openings = openings
        self._on_end = on_end
        self._key: int | None = None
        self._refused: list[Refusal] = []
        self._end: End | None = None
        self._is_told = False
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether the association has ended."""
        return self._end is not None

    def open(self) -> None:
        """Record the association; while that fails its instances are answered 0xA700."""
        try:
            self.key()
        except StorageUnavailableError as error:
            log.error("association not recorded", reason=str(error))

    def key(self) -> int:
        """The ledger's id; raises StorageUnavailableError where it can have none now."""
        if self._key is None:
            self._key = self._openings.run(
                lambda connection: open_association(connection, self.sender, self._ledger.clock())
            )
        return self._key

    def refuse(self, refusal: Refusal) -> None:
        """Note an instance that was sent and is not here; told of at the end."""
        self._refused.append(refusal)

    def release(self) -> bool:
        """Record a release; whether that is done. One that is not recorded did not happen."""
        return self._told(End(RELEASE))

    def end(self, end: End) -> bool:
        """Record the end, whatever it is; whether that is done, now or before.

        Where it is not, `tell_again` tries again.
        """
        self._end = end
        return self._told(end)

    def tell_again(self) -> bool:
        """Record an end that could not be recorded before; whether the ledger knows of it."""
        return self._end is not None and self._told(self._end)

    def _told(self, end: End) -> bool:
        if not self._lock.acquire(blocking=False):
            return False  # somebody is at it
        try:
            self._is_told = self._is_told or self._tell(end)
            return self._is_told
        finally:
            self._lock.release()

    def _tell(self, end: End) -> bool:
        if self._key is None and not self._refused:
            return True
        try:
            number = self.key()
            if end.outcome != RELEASED:
                self._openings.run(lambda connection: describe_end(connection, number, end))
            self._on_end(number, end.outcome, self._refused)
        except StorageUnavailableError as error:
            log.error("end of association not recorded", reason=str(error))
            return False
        log.debug("association ended", outcome=end.outcome, reason=end.reason)
        return True
