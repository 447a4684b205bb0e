"""Rounds: steps that the node repeats, often after the ledger changed, rarely while it is idle.

Every wait is a row with a time, so that a step only has to read the ledger. After a change it does
so five times a second, then ever more rarely: a wait ends at most a tenth late, and an idle node
takes next to no CPU time.
"""

import threading
import time
from collections.abc import Callable

import structlog

from core.errors import SlicewireError, StorageUnavailableError, explain_fault
from node.ledger.database import Ledger

_QUICKEST_S, _RAREST_S = 0.2, 5.0
_LATENESS = 0.1
_SAY_AGAIN_AFTER_S = 60.0

log = structlog.get_logger("node")


class Rounds:
    """Threads that each repeat one step until `stop`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changed = threading.Condition()
        self._changed_at = time.monotonic()
        self._is_stopping = False
        self._threads: list[threading.Thread] = []

    def start(self, name: str, step: Callable[[], object], *, is_clock: bool = False) -> None:
        """Repeat `step` in a thread; at once if it returned something true, else after a pause.

        A step with `is_clock` does not depend on the ledger, and is repeated at a fixed pace.
        """
        self._run(name, lambda: self._repeat(name, step, is_clock=is_clock))

    def watch(self) -> None:
        """Start watching for changes of the ledger by any process."""
        self._run("ledger", self._watch)

    def stop(self) -> None:
        """End every thread after its present step."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def join(self, within_s: float | None = None) -> None:
        """Wait for the threads, up to `within_s` seconds for each."""
        for thread in self._threads:
            thread.join(within_s)

    def _run(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name)
        thread.start()
        self._threads.append(thread)

    def _watch(self) -> None:
        known: object = None
        while not self._is_stopping:
            try:
                version = self._ledger.version()
            except StorageUnavailableError:
                version = None  # the steps report it, and try again
            if version is None or version != known:
                known = version
                with self._changed:
                    self._changed_at = time.monotonic()
                    self._changed.notify_all()
            self._rest(_QUICKEST_S)

    def _repeat(self, name: str, step: Callable[[], object], *, is_clock: bool) -> None:
        """Repeat a step until the node stops; an error is logged, the next round tries again."""
        said, said_at, pause_s = "", 0.0, _QUICKEST_S
        while not self._is_stopping:
            try:
                is_busy, said, pause_s = bool(step()), "", _QUICKEST_S
            except Exception as error:  # noqa: BLE001, one bad round must not end the node
                if self._is_stopping:
                    return  # what it needed is ending, too
                fault = _words_of(error)
                if fault != said or time.monotonic() - said_at > _SAY_AGAIN_AFTER_S:
                    said, said_at = fault, time.monotonic()
                    log.error("round failed", part=name, fault=fault)
                pause_s = min(2 * pause_s, _RAREST_S)
                self._rest(pause_s)
                continue
            if not is_busy:
                self._rest(_QUICKEST_S) if is_clock else self._rest_until_changed()

    def _rest_until_changed(self) -> None:
        """Pause until the ledger changes, or something may be due."""
        with self._changed:
            seen = self._changed_at
            pause_s = _LATENESS * (time.monotonic() - seen)
            self._changed.wait_for(
                lambda: self._is_stopping or self._changed_at != seen,
                min(max(_QUICKEST_S, pause_s), _RAREST_S),
            )

    def _rest(self, seconds: float) -> None:
        """Pause for `seconds`, unless the node stops."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, seconds)


def _words_of(error: Exception) -> str:
    return str(error) if isinstance(error, SlicewireError) else explain_fault(error)
