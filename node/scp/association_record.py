"""Record an association in the ledger, from its acceptance to its end."""

import threading
from collections.abc import Callable, Sequence

import structlog

from core.errors import StorageUnavailableError
from network.sender import Sender
from node.ledger.database import Ledger
from node.ledger.group_commit import GroupCommit
from node.ledger.row_states import EndCause
from node.ledger.tables.ends import End, describe_end
from node.ledger.tables.instances import RELEASED, open_association
from node.scp.refusals import Refusal, Refusals

log = structlog.get_logger("receive")

OnEnd = Callable[[int, str, Sequence[Refusal]], None]
"""Called with the ledger's id of an association, its outcome, and the refused instances."""


class AssociationRecord:
    """Records one association; while the ledger fails, keeps what is still to be recorded."""

    def __init__(
        self, sender: Sender, ledger: Ledger, openings: GroupCommit, on_end: OnEnd
    ) -> None:
        """`openings` groups transactions of several associations; `on_end` is called at the end."""
        self.sender = sender
        self._ledger = ledger
        self._openings = openings
        self._on_end = on_end
        self._key: int | None = None
        self._refused = Refusals()
        self._end: End | None = None
        self._is_recorded = False
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """True if the association has ended."""
        return self._end is not None

    def open(self) -> None:
        """Record the association; if that fails its instances are answered 0xA700."""
        try:
            self.key()
        except StorageUnavailableError as error:
            log.error("association not recorded", reason=str(error))

    def key(self) -> int:
        """The ledger's id of the association, which is recorded if it was not yet.

        Raises:
            StorageUnavailableError: the ledger cannot take it now.
        """
        if self._key is None:
            self._key = self._openings.run(
                lambda connection: open_association(connection, self.sender, self._ledger.clock())
            )
        return self._key

    def refuse(self, refusal: Refusal) -> None:
        """Note an instance that was sent and not stored, for the end of the association."""
        self._refused.note(refusal)

    def release(self) -> bool:
        """Record a release; False if that failed: then the release must not be answered."""
        return self._record(End(EndCause.RELEASE))

    def end(self, end: End) -> bool:
        """Record the end; False if that failed: `retry` tries again."""
        self._end = end
        return self._record(end)

    def retry(self) -> bool:
        """Record an end that could not be recorded before; True if the ledger has it."""
        return self._end is not None and self._record(self._end)

    def _record(self, end: End) -> bool:
        if not self._lock.acquire(blocking=False):
            return False  # another thread records it
        try:
            self._is_recorded = self._is_recorded or self._write(end)
            return self._is_recorded
        finally:
            self._lock.release()

    def _write(self, end: End) -> bool:
        """Write the end; one that could not be recorded and refused nothing needs none."""
        if self._key is None and not self._refused:
            return True
        try:
            number = self.key()
            if end.outcome != RELEASED:
                self._openings.run(lambda connection: describe_end(connection, number, end))
            self._on_end(number, end.outcome, self._refused.all())
        except StorageUnavailableError as error:
            log.error("end of association not recorded", reason=str(error))
            return False
        log.debug("association ended", outcome=end.outcome, reason=end.reason)
        return True
