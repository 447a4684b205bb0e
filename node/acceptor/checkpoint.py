"""Where an association's thread waits until there is something for it to do."""

import threading

_TICK_S = 0.25  # how exactly an idle association is ended


class Checkpoint(threading.Event):
    """In the place of pynetdicom's, whose loop asks again every millisecond and passes here.

    Set, it lets one turn of the loop through for each nudge; else it holds it, as pynetdicom means
    it to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._nudge = threading.Event()
        self.set()

    def set(self) -> None:
        """Let it go on; it looks at once."""
        super().set()
        self.nudge()

    def nudge(self) -> None:
        """There is something to look at."""
        self._nudge.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Until it may go on and has something to look at, or a moment has passed."""
        super().wait(timeout)
        self._nudge.wait(_TICK_S)
        self._nudge.clear()
        return super().wait(timeout)
