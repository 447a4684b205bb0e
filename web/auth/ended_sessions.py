"""Sessions that a person ended, in a file: a restart does not bring them back.

The file has a line for each, `KEY SECONDS`, with the Unix time of its end.
"""

import os
import threading
import uuid
from pathlib import Path

from core.durable import sync_folder, write_synced

_MOST = 10_000
_ALL = "*"


class EndedSessions:
    """Keys of ended sessions; of many, the oldest become a time before which all sessions ended."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            OSError: it cannot be read, or a line that a crash cut off cannot be removed.
        """
        self._path = path
        self._ended: dict[str, float] = {}
        self._all_before = 0.0
        self._lock = threading.Lock()
        if path.exists():
            self._read()

    def has(self, key: str, begun_at: float) -> bool:
        """True if the session `key`, begun at this Unix time, was ended."""
        with self._lock:
            return key in self._ended or begun_at <= self._all_before

    def add(self, key: str, now: float) -> None:
        """End a session, durably.

        Raises:
            OSError: the file cannot be written; the session is ended until a restart.
        """
        with self._lock:
            self._ended[key] = now
            if len(self._ended) > _MOST:
                self._forget_older_half()
                self._write()
            else:
                self._append(f"{key} {now:.0f}\n")

    def _read(self) -> None:
        lines = self._path.read_text(encoding="ascii", errors="replace").splitlines(keepends=True)
        for line in lines:
            key, _, seconds = line.rstrip("\n").partition(" ")
            if not seconds.isdecimal() or not line.endswith("\n"):
                continue
            if key == _ALL:
                self._all_before = float(seconds)
            else:
                self._ended[key] = float(seconds)
        if lines and not lines[-1].endswith("\n"):
            self._write()

    def _forget_older_half(self) -> None:
        oldest_first = sorted(self._ended.items(), key=lambda item: item[1])
        forgotten, kept = oldest_first[: _MOST // 2], oldest_first[_MOST // 2 :]
        self._all_before = max(self._all_before, forgotten[-1][1])
        self._ended = dict(kept)

    def _append(self, line: str) -> None:
        is_new = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self._path.parent)

    def _write(self) -> None:
        lines = [f"{_ALL} {self._all_before:.0f}\n"]
        lines += [f"{key} {ended_at:.0f}\n" for key, ended_at in self._ended.items()]
        temporary = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}")
        write_synced(temporary, "".join(lines).encode("ascii"))
        temporary.replace(self._path)
        sync_folder(self._path.parent)
