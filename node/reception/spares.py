"""Segments whose instances all have their files, kept for a while to be written again.

What is written over blocks that a file has already is synced in about half the time: the file
system has nothing to note of it. A few are enough, and none is kept for long, as it still holds
what retention may have removed meanwhile.
"""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SPARE_SUFFIX = ".spare"
_MOST, _MOST_BYTES = 4, 512_000_000
_SHARE_OF_FREE = 20  # kept ones are less than this part of what the disk has left
_KEPT_S = 600.0


class Spares:
    """Those of one folder; safe to call from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: list[tuple[Path, int, float]] = []  # path, bytes, since when

    def take(self) -> Path | None:
        """The largest; it is the caller's now."""
        with self._lock:
            if not self._kept:
                return None
            largest = max(self._kept, key=lambda one: one[1])
            self._kept.remove(largest)
            return largest[0]

    def give(self, segment: Path) -> None:
        """Keep a segment that nobody needs, or remove it; raises OSError."""
        about = segment.stat()
        with self._lock:
            if about.st_nlink == 1 and self._has_room(segment, about.st_size):
                spare = segment.with_suffix(SPARE_SUFFIX)
                segment.rename(spare)
                self._kept.append((spare, about.st_size, self._clock()))
                return
        segment.unlink(missing_ok=True)

    def drop_old(self) -> None:
        """Remove those that nobody has wanted for long."""
        self._drop(before=self._clock() - _KEPT_S)

    def drop_all(self) -> None:
        """Remove every one."""
        self._drop(before=float("inf"))

    def _drop(self, *, before: float) -> None:
        with self._lock:
            old = [one for one in self._kept if one[2] <= before]
            self._kept = [one for one in self._kept if one[2] > before]
        for path, _, _ in old:
            with suppress(OSError):  # the next start removes it
                path.unlink(missing_ok=True)

    def _has_room(self, segment: Path, size_bytes: int) -> bool:
        total = size_bytes + sum(size for _, size, _ in self._kept)
        if len(self._kept) >= _MOST or total > _MOST_BYTES:
            return False
        return total * _SHARE_OF_FREE < shutil.disk_usage(segment.parent).free
