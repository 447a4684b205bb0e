"""How one association ends, noted where it is seen: the first cause counts."""

import threading
import time
from collections.abc import Callable

from node.ledger.tables.ends import HALF, End


class Ending:
    """Of one association; safe to call from many threads."""

    def __init__(self, half: Callable[[], str], part: Callable[[], str]) -> None:
        """`half` says what of a message is here without the rest, `part` what of a PDU is."""
        self._half = half
        self._part = part
        self._active_at = time.monotonic()
        self._lock = threading.Lock()
        self._end: End | None = None

    def note_activity(self) -> None:
        """Something came, or was answered."""
        self._active_at = time.monotonic()

    @property
    def quiet_s(self) -> float:
        """For how long nothing has come."""
        return time.monotonic() - self._active_at

    @property
    def half(self) -> str:
        """What of a message is here without the rest or its answer, in words; empty: nothing."""
        return self._half()

    @property
    def is_noted(self) -> bool:
        """Whether it ends otherwise than by a release."""
        return self._end is not None

    def note(self, cause: str, words: str = "") -> End:
        """Why the association ends; the answer is what was noted first."""
        # behind a release there may be what belongs to no message, such as another release
        half = self._half() or ("" if cause == HALF else self._part())
        with self._lock:
            if self._end is None:
                self._end = End(cause, words, half, self.quiet_s)
            return self._end
