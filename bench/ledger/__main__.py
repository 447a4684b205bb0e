"""`python -m bench.ledger`: time of the ledger's steps as it grows."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.history import INSTANCES_PER_SERIES, add_history
from bench.ledger.steps import STEPS
from node.ledger.database import Ledger, open_ledger
from tests.support.postgresql import PostgresServer

_STEP = 10
_SMALLEST = 10_000
_TIMES = 100


def main() -> None:
    """Print one table: a row for each step, a column for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--instances", type=int, default=1_000_000, help="instances at the largest size"
    )
    parser.add_argument(
        "--jobs", type=int, help="jobs at the largest size (default: a tenth of --instances)"
    )
    values = parser.parse_args()
    jobs = values.jobs or values.instances // INSTANCES_PER_SERIES
    sizes = sorted({min(jobs, size) for size in _sizes(values.instances)})
    with _ledger(values.database) as ledger:
        measured = {size: _grow_and_measure(ledger, before, size) for before, size in _pairs(sizes)}
    Console(width=160).print(_table(values.database, measured))


def _sizes(instances: int) -> list[int]:
    """Numbers of jobs, each ten times the last, up to the largest size."""
    sizes = [instances // INSTANCES_PER_SERIES]
    while sizes[-1] * INSTANCES_PER_SERIES > _SMALLEST:
        sizes.append(sizes[-1] // _STEP)
    return sizes


def _pairs(sizes: list[int]) -> Iterator[tuple[int, int]]:
    return zip([0, *sizes], sizes, strict=False)


def _grow_and_measure(ledger: Ledger, before: int, size: int) -> dict[str, float]:
    begun = time.monotonic()
    add_history(ledger, before, size)
    Console(stderr=True).print(f"{size} jobs, filled in {time.monotonic() - begun:.0f} s")
    return {name: _median_ms(step(ledger, size)) for name, step in STEPS.items()}


def _median_ms(step: Callable[[int], None]) -> float:
    seconds = []
    for number in range(_TIMES):
        begun = time.perf_counter()
        step(number)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * 1000


@contextmanager
def _ledger(database: str) -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        server = PostgresServer() if database == "postgresql" else None
        try:
            url = None if server is None else server.create_database("bench")
            ledger = open_ledger(Path(name), database_url=url)
            yield ledger
            ledger.close()
        finally:
            if server is not None:
                server.stop()


def _table(database: str, measured: dict[int, dict[str, float]]) -> Table:
    smallest = min(measured)
    title = f"{database}: median of {_TIMES} in ms (times that of the smallest ledger)"
    heads = [f"{size * INSTANCES_PER_SERIES:,} instances, {size:,} jobs" for size in measured]
    table = Table("step", *heads, title=title, box=None)
    for name in STEPS:
        base = measured[smallest][name]
        cells = [f"{took[name]:.2f} ({took[name] / base:.1f})" for took in measured.values()]
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    main()
