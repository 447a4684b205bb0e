"""Refuse instances while the disk has less free space than its watermark."""

import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.conditions import DISK, clear_condition, set_condition
from node.ledger.tables.events import record_event

_MEGABYTE = 1_000_000

log = structlog.get_logger("storage")


class Watermark:
    """Watches the free disk space of the storage folder, and records when it runs out."""

    def __init__(
        self,
        storage_path: Path,
        ledger: Ledger,
        minimum_free_mb: int,
        *,
        promised_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        """`promised_bytes` counts bytes that will be written soon."""
        self._storage_path = storage_path
        self._ledger = ledger
        self._minimum_free_bytes = minimum_free_mb * _MEGABYTE
        self._promised_bytes = promised_bytes
        self._was_full: bool | None = None  # so that the first look clears an old condition

    def watch(self) -> bool:
        """Record when free space falls below the watermark, and when it is above again.

        Returns:
            False: nothing else is due.

        Raises:
            StorageUnavailableError: the ledger cannot take it now; the next round tries again.
        """
        words = self._why_full()
        if bool(words) == self._was_full:
            return False
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            if words:
                since = set_condition(connection, DISK, words, now)
                changed, told = since == now, f"{words}: instances are answered 0xA700"
            else:
                changed, told = clear_condition(connection, DISK), "space again"
            if changed:
                record_event(connection, EventKind.DISK, told, now=now)
        if changed:
            (log.error if words else log.info)(f"disk: {told}")
        self._was_full = bool(words)
        return False

    @property
    def was_full(self) -> bool:
        """True if the disk was full at the last `watch`."""
        return bool(self._was_full)

    def check(self) -> None:
        """Raise StorageUnavailableError if free space is below the watermark."""
        words = self._why_full()
        if words:
            raise StorageUnavailableError(words)

    def _why_full(self) -> str:
        try:
            free = shutil.disk_usage(self._storage_path).free - self._promised_bytes()
        except OSError as error:
            raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
        if free >= self._minimum_free_bytes:
            return ""
        needed = self._minimum_free_bytes // _MEGABYTE
        return f"Disk full: {max(0, free) // _MEGABYTE} MB free, {needed} MB needed"
