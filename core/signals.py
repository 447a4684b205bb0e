"""Signals of a program that runs until it is told to stop, and reads its files again on SIGHUP.

Python's own answer to Ctrl-C is an exception wherever the program happens to be, with a page of
words.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_STREAMS = (0, 1, 2)
_STOPS = (signal.SIGINT, signal.SIGTERM)


def end_without_words() -> None:
    """Let SIGINT and SIGTERM end a program at once while it loads; SIGHUP does nothing then.

    To be called in the main thread.
    """
    for number in _STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@contextmanager
def signals_stay_here() -> Iterator[None]:
    """Block SIGINT and SIGHUP in this thread; processes and threads that it starts inherit that.

    A terminal sends them to every process of the program, also to those that still load; the
    first one ends the others.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Signals:
    """SIGINT and SIGTERM ask for a stop, SIGHUP for a reload, the latter while it starts, too."""

    def __init__(self) -> None:
        """Catch SIGHUP, which would end the program; to be called in the main thread."""
        self._stop, self._reload = threading.Event(), threading.Event()
        self._terminals = [one for one in _STANDARD_STREAMS if os.isatty(one)]
        signal.signal(signal.SIGHUP, lambda *_: self._reload.set())

    def catch_stops(self) -> None:
        """Catch SIGINT and SIGTERM, before there is something that a stop has to close."""
        for number in _STOPS:
            signal.signal(number, lambda *_: self._stop.set())

    def wants_stop(self, within_s: float) -> bool:
        """Wait up to `within_s` seconds for a stop; True if it was asked for."""
        return self._stop.wait(within_s)

    def wants_reload(self) -> bool:
        """True once for every SIGHUP; one from a terminal that was closed asks for a stop."""
        if not self._reload.is_set():
            return False
        self._reload.clear()
        if not all(os.isatty(one) for one in self._terminals):
            self._stop.set()
            return False
        return True
