"""How long the disk lasts at the rate of the last days."""

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
    """Where the storage folder lies; bytes."""

    free: int
    whole: int
    reserved: int
    """Below this, instances are refused."""
    per_day: float
    """Stored a day on average: what came in and what was made of it."""
    over_days: float
    """For how long that was averaged."""

    @property
    def days_left(self) -> float | None:
        """Until instances are refused, if nothing is removed; None while nothing comes."""
        if self.per_day <= 0:
            return None
        return max(0, self.free - self.reserved) / self.per_day

    @property
    def used(self) -> float:
        """The part that is taken, 0 to 1."""
        return 1 - self.free / self.whole


class DiskWatch:
    """Reads free space, and what came within the last seven days."""

    def __init__(self, ledger: Ledger, minimum_free_mb: int) -> None:
        self._ledger = ledger
        self._reserved = minimum_free_mb * _MEGABYTE
        self._size_of_results: Callable[[str], int] = lru_cache(_KEPT)(self._measure)

    def look(self) -> Disk:
        """How it stands now."""
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
        """Of committed results, which never change."""
        folder = StorageLayout(self._ledger.storage_path).results_of(job_id)
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
