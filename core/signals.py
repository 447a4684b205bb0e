"""Signals of a program that runs until it is told to stop, and reads its files again on SIGHUP."""

import os
import signal
import threading

_STANDARD_STREAMS = (0, 1, 2)


class Signals:
    """SIGINT and SIGTERM ask for a stop, SIGHUP for a reload, the latter while it starts, too."""

    def __init__(self) -> None:
        """Catch SIGHUP, which would end the program; to be called in the main thread."""
        self._stop, self._reload = threading.Event(), threading.Event()
        self._terminals = [one for one in _STANDARD_STREAMS if os.isatty(one)]
        signal.signal(signal.SIGHUP, lambda *_: self._reload.set())

    def catch_stops(self) -> None:
        """Catch SIGINT and SIGTERM, once there is something that a stop has to close."""
        for number in (signal.SIGINT, signal.SIGTERM):
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
