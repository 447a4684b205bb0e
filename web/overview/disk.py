"""Free disk space, and how long it lasts at the rate of the last seven days."""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, func, select

from core.storage_layout import StorageLayout
from node.ledger.database import Ledger
from node.ledger.schema import instances, jobs

_DAY_S = 86400.0
_LOOK_BACK_DAYS = 7.0
_KEPT = 4096
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Disk:
    """Space on the disk of the storage folder, in bytes."""

    free: int
    whole: int
    reserved: int
    """Free space below which instances are refused."""
    per_day: float
    """Average bytes stored a day: received instances and results."""
    over_days: float
    """Days over which `per_day` is averaged."""

    @property
    def days_left(self) -> float | None:
        """Days until instances are refused if nothing is removed; None if nothing is stored."""
        if self.per_day <= 0:
            return None
        return max(0, self.free - self.reserved) / self.per_day

    @property
    def used(self) -> float:
        """The used fraction of the disk, 0 to 1."""
        return 1 - self.free / self.whole


class DiskWatch:
    """Reads free space, and the bytes stored within the last seven days."""

    def __init__(self, ledger: Ledger, minimum_free_mb: int) -> None:
        self._ledger = ledger
        self._reserved = minimum_free_mb * _MEGABYTE
        self._size_of_results: Callable[[str], int] = lru_cache(_KEPT)(self._measure)

    def usage(self) -> Disk:
        """Measure free space and the recent rate of storing."""
        usage = shutil.disk_usage(self._ledger.storage_path)
        now = self._ledger.clock()
        with self._ledger.reading() as connection:
            begun = connection.scalar(select(func.min(instances.c.received_at)))
            days = min(_LOOK_BACK_DAYS, max(1.0, math.ceil((now - (begun or now)) / _DAY_S)))
            stored = self._stored_since(connection, now - days * _DAY_S)
        return Disk(usage.free, usage.total, self._reserved, stored / days, days)

    def _stored_since(self, connection: Connection, since: float) -> int:
        received = select(func.sum(instances.c.size_bytes)).where(instances.c.received_at >= since)
        finished = select(jobs.c.job_id).where(
            jobs.c.finished_at >= since, jobs.c.removed_at.is_(None), jobs.c.result.is_not(None)
        )
        results = sum(self._size_of_results(job_id) for job_id in connection.scalars(finished))
        return int(connection.scalar(received) or 0) + results

    def _measure(self, job_id: str) -> int:
        """Bytes of a job's committed results, which never change."""
        folder = StorageLayout(self._ledger.storage_path).results_of(job_id)
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
