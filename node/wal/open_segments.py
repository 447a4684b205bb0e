"""Keep segments open between associations, so that the next one goes on in the same segment.

Some senders open an association for each instance. With a segment for each of them the folder
would be synced for every instance, and the ledger before every segment is removed.
"""

import threading
import time
from collections.abc import Callable

import structlog

from core.errors import explain_fault
from node.wal.segments import Segment

_REST_S = 0.1  # a sender that continues does so sooner; files are delayed only a little
_IDLE_S = 2.0

log = structlog.get_logger("storage")


class OpenSegments:
    """Holds segments until another association takes them, or none does in time; thread-safe."""

    def __init__(self, done: Callable[[Segment], None], rest_s: float = _REST_S) -> None:
        """`done` gets each segment that no association took for `rest_s` seconds."""
        self._done = done
        self._rest_s = rest_s
        self._changed = threading.Condition()
        self._resting: list[tuple[float, Segment]] = []
        self._is_watched = self._is_closed = False

    def take(self) -> Segment | None:
        """Take the segment that was put last; None if there is none."""
        with self._changed:
            return self._resting.pop()[1] if self._resting else None

    def put(self, segment: Segment) -> None:
        """Leave a segment to other associations."""
        with self._changed:
            is_kept = not self._is_closed and self._watch()
            if is_kept:
                self._resting.append((time.monotonic(), segment))
        if not is_kept:
            self._done(segment)

    def close(self) -> None:
        """Finish every segment, also those that are put later."""
        with self._changed:
            self._is_closed = True
            resting, self._resting = self._resting, []
            self._changed.notify()
        for _, segment in resting:
            self._done(segment)

    def _watch(self) -> bool:
        """Start the thread that finishes them; False if the system has no more threads."""
        if not self._is_watched:
            thread = threading.Thread(target=self._run, name="logs at rest", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # no more threads
                log.error("log not kept open", reason=explain_fault(error))
            else:
                self._is_watched = True
        return self._is_watched

    def _run(self) -> None:
        """Run the thread, which ends after a while without segments."""
        while (segment := self._next()) is not None:
            try:
                self._done(segment)
            except Exception as error:  # noqa: BLE001, the others follow
                log.error("log not closed", log=segment.path.name, reason=explain_fault(error))

    def _next(self) -> Segment | None:
        """Wait for a segment that nobody took in time; None if the thread may end."""
        with self._changed:
            idle_until = time.monotonic() + _IDLE_S
            while True:
                now = time.monotonic()
                if self._resting and self._resting[0][0] + self._rest_s <= now:
                    return self._resting.pop(0)[1]
                until = self._resting[0][0] + self._rest_s if self._resting else idle_until
                if self._is_closed or until <= now:
                    self._is_watched = False
                    return None
                self._changed.wait(until - now)
