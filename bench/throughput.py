"""`python -m bench.throughput`: jobs per minute through the whole node, for small series."""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.destination import Destination
from bench.series import small_ct
from tests.support.node_process import NodeProcess, send

_SLICES, _SIZE = 5, 64
_WITHIN_S = 900.0


def main() -> None:
    """Print one table: a row for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=60)
    parser.add_argument("--senders", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    values = parser.parse_args()
    title = f"{values.series} CT series of {_SLICES} images {_SIZE} x {_SIZE}, blur"
    table = Table(
        "workers", "received in s", "all delivered in s", "jobs/min", title=title, box=None
    )
    for workers in values.workers:
        received_s, delivered_s = _measure(values.series, values.senders, workers)
        rate = f"{60 * values.series / delivered_s:.0f}"
        table.add_row(str(workers), f"{received_s:.1f}", f"{delivered_s:.1f}", rate)
    Console().print(table)


def _measure(series: int, senders: int, workers: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        folder, destination = Path(name), Destination()
        node = NodeProcess(
            folder / "node",
            pipeline="blur",
            completion={"settle_s": 0.0},
            engine={"workers": workers},
            scu_ip="127.0.0.1",
            scu_port=destination.port,
        ).start()
        try:
            send(node, small_ct(folder / "warm", _SLICES, _SIZE))
            destination.wait_for(_SLICES, _WITHIN_S)
            cases = [small_ct(folder / str(one), _SLICES, _SIZE) for one in range(series)]
            begun = time.monotonic()
            _send_all(node, cases, senders)
            received_s = time.monotonic() - begun
            if not destination.wait_for(_SLICES * (series + 1), _WITHIN_S):
                raise SystemExit(f"not all delivered within {_WITHIN_S:.0f} s")
            return received_s, time.monotonic() - begun
        finally:
            node.stop()
            destination.close()


def _send_all(node: NodeProcess, cases: list[list[Path]], senders: int) -> None:
    def one_sender(number: int) -> None:
        for paths in cases[number::senders]:
            send(node, paths)

    threads = [threading.Thread(target=one_sender, args=(number,)) for number in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
