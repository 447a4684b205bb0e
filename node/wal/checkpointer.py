"""Copy logged instances from segments into a file each, after they were answered.

Until an instance has its file, the checkpointer knows it by the path that the ledger has for it;
readers in this process ask first. After a crash the segments are read again
(`node/wal/writer.py`).
"""

import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.durable import sync_folder
from core.errors import explain_fault
from node.wal.files import InstanceFolders, copy_records, remove
from node.wal.recycled_segments import RecycledSegments
from node.wal.segments import Record

_AT_ONCE = 32
_PAUSE_S = 2.0

log = structlog.get_logger("storage")


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record
    path: str
    series_instance_uid: str

    @property
    def sha256(self) -> str:
        return str(self.record.meta["instance"]["sha256"])


class Checkpointer:
    """Makes the files of logged instances in a thread of its own; safe to call from any thread."""

    def __init__(self, storage_path: Path, folder: Path, sync_ledger: Callable[[], None]) -> None:
        """`folder` has the segments, on the same file system as `storage_path`.

        `sync_ledger` is called before a segment is removed, as the ledger's rows could be made
        again from the segment until then.
        """
        self._storage_path = storage_path
        self._folder = folder
        self._sync_ledger = sync_ledger
        self.recycled_segments = RecycledSegments()
        """Segments that may be written over."""
        self.folders = InstanceFolders(storage_path)
        """Folders of instances' files."""
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._by_series: Counter[str] = Counter()
        self._segments: deque[tuple[Path, list[str]]] = deque()
        self._paths: dict[Path, list[str]] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._pending_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """Bytes that the files still to be made will take of the disk."""
        return self._pending_bytes

    @property
    def pending(self) -> int:
        """Number of files still to be made."""
        return len(self._entries)

    @property
    def tracked(self) -> int:
        """Number of segments that hold records whose files are still to be made."""
        return len(self._paths)

    def expect(self, record: Record, path: str, series_instance_uid: str) -> bool:
        """Track `record`, which will become the file `path`; False if another one will."""
        with self._lock:
            if path in self._entries:
                return False
            self._entries[path] = _Entry(record, path, series_instance_uid)
            self._by_series[series_instance_uid] += 1
            self._pending_bytes += record.size
            self._paths.setdefault(record.segment, []).append(path)
            return True

    def expects(self, path: str) -> bool:
        """True if a tracked instance will become the file `path`."""
        with self._lock:
            return path in self._entries

    def forget(self, path: str) -> None:
        """Stop tracking `path`: its file exists, or will not be written."""
        with self._lock:
            entry = self._entries.pop(path, None)
            if entry is None:
                return
            self._pending_bytes -= entry.record.size
            self._by_series[entry.series_instance_uid] -= 1
            if not self._by_series[entry.series_instance_uid]:
                del self._by_series[entry.series_instance_uid]
            self._strike(entry)

    def _strike(self, entry: _Entry) -> None:
        """Remove `entry` from the list of its segment, and an empty list, too."""
        paths = self._paths.get(entry.record.segment, [])
        if entry.path in paths:
            paths.remove(entry.path)
        if not paths:
            self._paths.pop(entry.record.segment, None)

    def has_pending(self, series_instance_uid: str) -> bool:
        """True if files of a series are still to be made."""
        with self._lock:
            return series_instance_uid in self._by_series

    def make_now(self, path: str, sha256: str) -> None:
        """Make the file of this path and SHA-256 now, if it is still to be made; raises OSError.

        Another content that is tracked for the path is not in the ledger, and may never be.
        """
        with self._making:
            entry = self._entries.get(path)
            if entry is not None and entry.sha256 == sha256:
                self._make([entry])

    def take(self, segment: Path) -> None:
        """Take over a finished segment: make its files, then recycle or remove it."""
        with self._lock:
            self._segments.append((segment, self._paths.pop(segment, [])))
            if self._thread is None and not self._stopping.is_set():
                thread = threading.Thread(target=self._work, name="checkpointer", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no more threads; the next segment tries again
                    log.error("instances cannot be filed", reason=explain_fault(error))
                else:
                    self._thread = thread

    def finish(self, within_s: float) -> bool:
        """Wait until the files of every segment are made; False if some are not in time."""
        thread = self._thread
        if thread is not None:
            thread.join(within_s)
        return not self._segments

    def stop(self, within_s: float) -> None:
        """Wait as `finish` does, then stop; the next start makes the files that are left."""
        self.finish(within_s)
        self._stopping.set()
        thread = self._thread
        if thread is not None:  # it ends after the files in progress
            thread.join(_PAUSE_S)
        self.recycled_segments.drop_all()

    def _work(self) -> None:
        """Run the thread; a segment that fails is tried again after all others."""
        said, failures = "", 0
        while not self._stopping.is_set():
            with self._lock:
                if not self._segments:
                    self._thread = None
                    return
                segment, paths = self._segments[0]
            try:
                done = self._file(segment, paths)
            except Exception as error:  # noqa: BLE001, a thread that ends would hold every series
                words = str(getattr(error, "strerror", None) or explain_fault(error))
                if words != said:
                    log.error("instances cannot be filed", log=segment.name, reason=words)
                said, failures, done = words, failures + 1, False
            with self._lock:
                self._segments.popleft()
                if not done:
                    self._segments.append((segment, paths))
                waiting = len(self._segments)
            if done:
                said, failures = "", 0
            elif failures >= waiting:
                self._stopping.wait(_PAUSE_S)

    def _file(self, segment: Path, paths: list[str]) -> bool:
        """Make the files of a segment; False if the node stops meanwhile."""
        for begin in range(0, len(paths), _AT_ONCE):
            if self._stopping.is_set():
                return False
            with self._making:
                known = (self._entries.get(path) for path in paths[begin : begin + _AT_ONCE])
                self._make([one for one in known if one and one.record.segment == segment])
        self._sync_ledger()
        if self._stopping.is_set():
            return False
        with suppress(FileNotFoundError):
            self.recycled_segments.give(segment)
        return True

    def _make(self, entries: list[_Entry]) -> None:
        """Write, sync and rename files, and stop tracking them."""
        made = [(self._folder / uuid.uuid4().hex, entry) for entry in entries]
        try:
            copy_records((entry.record, temporary) for temporary, entry in made)
            for temporary, entry in made:
                final = self._storage_path / entry.path
                self.folders.make(final.parent)
                temporary.rename(final)
            for folder in {(self._storage_path / one.path).parent for one in entries}:
                sync_folder(folder)
        finally:
            remove(temporary for temporary, _ in made)
        for entry in entries:
            self.forget(entry.path)
