"""Report of a comparison: a table, and the same figures in `bench_output/NAME.json`."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.isolated import Run

OUTPUT = Path(__file__).parent.parent / "bench_output"
OURS = "Slicewire"


@dataclass(slots=True)
class Case:
    """One workload, with the runs of each side."""

    name: str
    runs: dict[str, list[Run]] = field(default_factory=dict)
    """Runs by side; `OURS` is one of them."""

    def ratios(self, side: str) -> list[float]:
        """Time of `side` divided by ours, repetition by repetition."""
        pairs = zip(self.runs[side], self.runs[OURS], strict=True)
        return [theirs.seconds / ours.seconds for theirs, ours in pairs]

    def summary(self, side: str) -> dict[str, Any]:
        """Medians of `side`, and their ratio to ours."""
        runs, ours = self.runs[side], self.runs[OURS]
        seconds = median(run.seconds for run in runs)
        return {
            "seconds": seconds,
            "cpu_seconds": median(run.cpu_seconds for run in runs),
            "peak_mb": median(run.peak_mb for run in runs),
            "added_mb": median(run.added_mb for run in runs),
            "times_our_seconds": seconds / median(run.seconds for run in ours),
            "times_our_seconds_from_to": [min(self.ratios(side)), max(self.ratios(side))],
            "times_our_cpu": _ratio(runs, ours, lambda run: run.cpu_seconds),
            "times_our_peak": _ratio(runs, ours, lambda run: run.peak_mb),
            "times_our_added": _ratio(runs, ours, lambda run: run.added_mb),
            "found": {name: _middle(_values(runs, name)) for name in runs[0].found},
            "found_from_to": {
                name: [min(values), max(values)]
                for name in runs[0].found
                if (values := _numbers(_values(runs, name)))
            },
        }


def measure(name: str, repetitions: int, sides: Mapping[str, Callable[[], Run]]) -> Case:
    """Run all sides in turn, repeatedly, so that other load on the machine affects all alike."""
    case = Case(name, {side: [] for side in sides})
    for _ in range(repetitions):
        for side, run in sides.items():
            case.runs[side].append(run())
    return case


def report(name: str, title: str, sizes: Mapping[str, Any], cases: Sequence[Case]) -> None:
    """Print the table and write the JSON file."""
    Console(width=180).print(_table(title, cases))
    OUTPUT.mkdir(exist_ok=True)
    content = {
        "bench": name,
        "title": title,
        "sizes": dict(sizes),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
        "load_average": os.getloadavg()[0],
        "cases": [_as_values(case) for case in cases],
    }
    (OUTPUT / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def _table(title: str, cases: Sequence[Case]) -> Table:
    table = Table("", "side", title=title, box=None)
    times = ("median s", "from-to s", "x ours", "from-to", "CPU s", "x ours")
    for heading in (*times, "peak MB", "added MB", "x ours"):
        table.add_column(heading, justify="right")
    table.add_column("found")
    for case in cases:
        for side, runs in case.runs.items():
            table.add_row(case.name, side, *_cells(case.summary(side), runs))
    return table


def _cells(of_side: dict[str, Any], runs: list[Run]) -> list[str]:
    seconds = [run.seconds for run in runs]
    low, high = of_side["times_our_seconds_from_to"]
    return [
        f"{of_side['seconds']:.3f}",
        f"{min(seconds):.3f}-{max(seconds):.3f}",
        f"{of_side['times_our_seconds']:.1f}",
        f"{low:.1f}-{high:.1f}",
        f"{of_side['cpu_seconds']:.2f}",
        f"{of_side['times_our_cpu']:.1f}",
        f"{of_side['peak_mb']:.0f}",
        f"{of_side['added_mb']:.0f}",
        f"{of_side['times_our_added']:.1f}",
        ", ".join(f"{what} {found_as_text(of_side, what)}" for what in of_side["found"]),
    ]


def found_as_text(of_side: Mapping[str, Any], name: str) -> str:
    """Result `name` of a side as text: median and range of numbers, else all different values."""
    value = of_side["found"][name]
    if name not in of_side["found_from_to"]:
        return str(value)
    low, high = of_side["found_from_to"][name]
    return f"{value:g}" if low == high else f"{value:g} ({low:g}-{high:g})"


def _values(runs: Sequence[Run], name: str) -> list[Any]:
    return [run.found[name] for run in runs]


def _numbers(values: Sequence[Any]) -> list[float]:
    """`values` as numbers; empty if one of them is not a number."""
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        return []


def _middle(values: Sequence[Any]) -> Any:
    """Median of numbers, or all different values of anything else."""
    numbers = _numbers(values)
    return median(numbers) if numbers else " or ".join(dict.fromkeys(map(str, values)))


def _as_values(case: Case) -> dict[str, Any]:
    return {
        "case": case.name,
        "sides": {
            side: {
                "repetitions": len(runs),
                "medians": case.summary(side),
                "runs": [asdict(run) for run in runs],
            }
            for side, runs in case.runs.items()
        },
    }


def _ratio(runs: list[Run], ours: list[Run], value: Callable[[Run], float]) -> float:
    return median(map(value, runs)) / max(median(map(value, ours)), 1e-9)
