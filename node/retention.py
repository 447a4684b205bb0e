"""Retention: removes files that are not needed any more, hourly; their rows stay as history.

One transaction records the removal. The files are removed in a second one, which reads the record
again, so that an instance that was received again meanwhile stays. Files that a crash leaves
between the two are removed at the next start.
"""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from core.config.settings import Configuration
from core.storage_layout import uncommitted
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from node.ledger.tables.retention import (
    RESULTS,
    Expired,
    expired,
    last_removed,
    mark_removed,
    removed_paths,
    results_of,
    sources_of,
)

_EVERY_S = 3600.0
_TRUST_AFTER_S = 3600.0
_JUMP_S = 60.0
_MEGABYTE = 1_000_000

log = structlog.get_logger("retention")


class Retention(Follower):
    """Removes files that are older than the configured days and not needed."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steady = steady
        self._offset = ledger.clock() - steady()
        self._trusted_at = steady() + _TRUST_AFTER_S
        self._configuration = configuration
        self._storage_path = configuration.storage_path
        self._ledger = ledger
        self._next_at: float | None = None

    def remove_due(self) -> None:
        """Remove files, if the last time was an hour ago or the clock was set back.

        Nothing is removed in the first hour after a start or a change of the clock: a wrong clock
        would make everything look old, and is usually corrected by then.

        Raises:
            StorageUnavailableError: the ledger failed; the next round goes on.
            OSError: files cannot be removed; the next start tries again.
        """
        now = self._ledger.clock()
        if self._next_at is not None and self._next_at - _EVERY_S <= now < self._next_at:
            return
        if self._next_at is None:
            self._remove_leftovers()
            self._next_at = now
        if not self._is_trusted(now):
            return
        self._next_at = now + _EVERY_S
        for what in self.preview():
            if not what.why_it_stays:
                self._remove(what)

    def _is_trusted(self, now: float) -> bool:
        offset = now - self._steady()
        if abs(offset - self._offset) > _JUMP_S:
            self._trusted_at = self._steady() + _TRUST_AFTER_S
        self._offset = offset
        return self._steady() >= self._trusted_at

    def preview(self) -> list[Expired]:
        """Return everything older than the configured days, with the reason if it must stay."""
        with self._ledger.reading() as connection:
            return list(expired(connection, self._configuration.retention, self._ledger.clock()))

    def explain(self, what: Expired) -> str:
        """Describe results or sources with their size, and whether they are removed."""
        stand = f"stay: {what.why_it_stays}" if what.why_it_stays else "go"
        return f"{self._described(what)}: {stand}"

    def _described(self, what: Expired) -> str:
        files = [file for path in what.paths for file in _files(self._storage_path / path)]
        size = sum(file.stat().st_size for file in files) / _MEGABYTE
        name = f"results of job {what.key[:12]}" if what.kind == RESULTS else "sources"
        return f"{name}, {len(files)} files, {size:.1f} MB"

    def _remove(self, what: Expired) -> None:
        words, now = self._described(what), self._ledger.clock()
        with self._ledger.writing() as connection:
            find = results_of if what.kind == RESULTS else sources_of
            current = find(connection, what.key)
            if current is None or current.why_it_stays:
                return  # something was received or requested meanwhile
            mark_removed(connection, current, now)
            uid = what.series_instance_uid
            record_event(connection, EventKind.REMOVED, words, now=now, series_instance_uid=uid)
        self._remove_files(what)
        log.info("removed", series_instance_uid=what.series_instance_uid, what=words)

    def _remove_leftovers(self) -> None:
        with self._ledger.reading() as connection:
            gone = list(last_removed(connection))
        for what in gone:
            self._remove_files(what)

    def _remove_files(self, what: Expired) -> None:
        with self._ledger.writing() as connection:
            for path in removed_paths(connection, what):
                if what.kind == RESULTS:
                    _remove_folder(self._storage_path / path)
                else:
                    _remove_file(self._storage_path / path)


def _remove_folder(folder: Path) -> None:
    """Remove a folder, renamed first: a half-removed one must not be taken for results."""
    leaving = uncommitted(folder, f"removed-{folder.name}")
    if folder.is_dir():
        folder.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)


def _remove_file(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty yet, or gone before
        path.parent.rmdir()
        path.parent.parent.rmdir()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.is_file()]
