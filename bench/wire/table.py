"""Tables of `bench.wire` for a terminal and for docs/performance.md."""

from collections.abc import Mapping, Sequence
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from bench.report import OURS
from bench.wire.receivers import OURS_UNSYNCED
from bench.wire.rows import Row

_HEADINGS = (
    "runs",
    "instances",
    "side",
    "1/s",
    "MB/s",
    "ours is x times (from-to)",
    "without fsync",
    "goal",
    "p99 ms",
    "MB at most (added)",
    "went on for s",
)


def print_tables(rows: Sequence[Row], limits: Mapping[str, float]) -> None:
    """Print a table; with `limits`, the limits of the machine below it."""
    console = Console(width=190)
    table = Table("load", *_HEADINGS, box=None)
    for row in rows:
        for cells in _lines(row):
            table.add_row(*cells)
    console.print(table)
    for name, value in limits.items():
        console.print(f"{name}: {value:,.0f}", highlight=False)


def as_markdown(rows: Sequence[Row], limits: Mapping[str, float], runs: int) -> str:
    """Markdown of both tables, with a line on how they were measured."""
    lines = [f"Medians of at most {runs} interleaved runs. Limits of the machine at the time:", ""]
    lines += ["| " + " | ".join(limits) + " |", "|" + "---|" * len(limits)]
    lines += ["| " + " | ".join(f"{value:,.0f}" for value in limits.values()) + " |", ""]
    lines += ["| load | " + " | ".join(_HEADINGS) + " |", "|" + "---|" * (len(_HEADINGS) + 1)]
    lines += ["| " + " | ".join(cells) + " |" for row in rows for cells in _lines(row)]
    return "\n".join(lines)


def _lines(row: Row) -> list[list[str]]:
    return [_cells(row, side, is_first=number == 0) for number, side in enumerate(row.runs)]


def _cells(row: Row, side: str, *, is_first: bool) -> list[str]:
    rate = row.rate(side)
    return [
        row.name if is_first else "",
        str(len(row.runs[side])) if is_first else "",
        str(row.runs[side][0].instances),
        side,
        f"{rate:,.1f}" if rate < 10 else f"{rate:,.0f}",
        f"{rate * row.mb_each:,.0f}",
        _ratio(row, side, OURS),
        _ratio(row, side, OURS_UNSYNCED),
        row.goals.get(side, ""),
        _p99(row, side),
        _memory(row, side),
        f"{median(row.afterwards_s):.1f}" if side == OURS and row.afterwards_s else "",
    ]


def _ratio(row: Row, side: str, ours: str) -> str:
    if ours not in row.runs or side in (OURS, OURS_UNSYNCED):
        return ""
    found = row.ratios(side, ours)
    return f"{row.rate(ours) / row.rate(side):.1f} ({min(found):.1f}-{max(found):.1f})"


def _p99(row: Row, side: str) -> str:
    found = [one for run in row.runs[side] for one in run.milliseconds]
    return f"{quantiles(found, n=100)[98]:.1f}" if len(found) >= 100 else ""


def _memory(row: Row, side: str) -> str:
    if side not in row.memory:
        return ""
    peaks, added = zip(*row.memory[side], strict=True)
    return f"{median(peaks):.0f} ({median(added):.0f})"
