"""`python -m bench.wire`: the wire compared with DCMTK, Orthanc and pynetdicom, in one run.

Ours is the whole node as its user starts it, fsync and ledger on; `Slicewire, no fsync` is its
receiving parts without. Sides run in turn, so that what else the machine does meets all of them.
Outside programs are taken where they are: DCMTK and Orthanc of the system.
"""

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from bench.page import into_page
from bench.report import OUTPUT
from bench.wire.files import make_workloads
from bench.wire.limits import measure_limits
from bench.wire.rows import Bench, Row
from bench.wire.senders import senders
from bench.wire.table import as_markdown, print_tables

_ROWS = ("stock", "no_delay", "large", "many", "short", "sending")
_PROCESSES = 4


def main() -> None:
    """Print the table, write `bench_output/wire.json`, and with `--docs` the page."""
    values = _arguments()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-", dir=values.folder) as name:
        folder = Path(name)
        limits = [measure_limits(folder / "limits") for _ in range(min(values.runs, 3))]
        medians = {one: median(run[one] for run in limits) for one in limits[0]}
        rows = _measure(folder, values.rows, values.runs)
    print_tables(rows, medians)
    _write(rows, medians, values.runs)
    if values.docs:
        into_page("wire", as_markdown(rows, medians, values.runs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--runs",
        type=int,
        default=7,
        help="runs of each row; fewer, but at least 3, if they take 45 s",
    )
    parser.add_argument("--rows", nargs="+", choices=_ROWS, default=_ROWS)
    parser.add_argument("--folder", type=Path, help="folder to write to, on the disk to measure")
    parser.add_argument(
        "--docs", action="store_true", help="put the table into docs/performance.md"
    )
    return parser.parse_args()


def _measure(folder: Path, names: list[str], runs: int) -> list[Row]:
    rows: list[Row] = []
    with senders(_PROCESSES) as processes:
        bench = Bench(folder / "receivers", make_workloads(folder / "files"), processes, runs)
        for name in names:
            for row in getattr(bench, name)():
                print_tables([row], {})
                rows.append(row)
    return rows


def _write(rows: list[Row], limits: dict[str, float], runs: int) -> None:
    OUTPUT.mkdir(exist_ok=True)
    content: dict[str, Any] = {
        "bench": "wire",
        "runs": runs,
        "machine": {"cores": os.cpu_count(), **limits},
        "load_average": os.getloadavg()[0],
        "rows": [asdict(row) for row in rows],
    }
    (OUTPUT / "wire.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
