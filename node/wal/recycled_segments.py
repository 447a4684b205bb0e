"""Keep segments whose instances all have their files, to write over them.

Writing over allocated blocks is synced in about half the time, as the file system has no metadata
to write. A few segments are enough, and none is kept for long: it still holds instances that
retention may have removed meanwhile.
"""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SPARE_SUFFIX = ".spare"
_MOST, _MOST_BYTES = 4, 512_000_000
_SHARE_OF_FREE = 20  # kept segments take less than 1/20 of the free space
_KEPT_S = 600.0


@dataclass(frozen=True, slots=True)
class _RecycledSegment:
    path: Path
    size_bytes: int
    inode: int
    since: float


class RecycledSegments:
    """The recycled segments of one folder; safe to call from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: list[_RecycledSegment] = []
        self._since: dict[int, float] = {}  # by inode; writing does not renew it

    def take(self) -> Path | None:
        """Take the largest segment; None if there is none."""
        with self._lock:
            if not self._kept:
                return None
            largest = max(self._kept, key=lambda one: one.size_bytes)
            self._kept.remove(largest)
            return largest.path

    def give(self, segment: Path) -> None:
        """Keep a segment that is no longer needed, or remove it; raises OSError."""
        about, now = segment.stat(), self._clock()
        with self._lock:
            since = self._since.setdefault(about.st_ino, now)
            fits = about.st_nlink == 1 and self._has_room(segment, about.st_size)
            if fits and since > now - _KEPT_S:
                spare = segment.rename(segment.with_suffix(SPARE_SUFFIX))
                self._kept.append(_RecycledSegment(spare, about.st_size, about.st_ino, since))
                return
            del self._since[about.st_ino]
        segment.unlink(missing_ok=True)

    def drop_old(self) -> None:
        """Remove segments that were kept for ten minutes."""
        self._drop(before=self._clock() - _KEPT_S)

    def drop_all(self) -> None:
        """Remove every segment."""
        self._drop(before=float("inf"))

    def _drop(self, *, before: float) -> None:
        with self._lock:
            old = [one for one in self._kept if one.since <= before]
            self._kept = [one for one in self._kept if one.since > before]
            for one in old:
                del self._since[one.inode]
        for one in old:
            with suppress(OSError):  # the next start removes it
                one.path.unlink(missing_ok=True)

    def _has_room(self, segment: Path, size_bytes: int) -> bool:
        total = size_bytes + sum(one.size_bytes for one in self._kept)
        if len(self._kept) >= _MOST or total > _MOST_BYTES:
            return False
        return total * _SHARE_OF_FREE < shutil.disk_usage(segment.parent).free
