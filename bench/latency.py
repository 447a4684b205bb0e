"""`python -m bench.latency`: from the sender's last answer to the first byte of the result.

A CT is sent through a real node to a real destination, with a settle time of 0, as this is a
matter of configuration.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.destination import Destination
from bench.series import checkpoint_for_ct, planning_ct, series_uid
from node.ledger.database import open_ledger
from node.ledger.requests.jobs import jobs_of
from node.ledger.row_states import JobState
from node.ledger.tables.events import events_of
from tests.support.node_process import NodeProcess, send

_PARTS = (
    "completion",
    "queue",
    "read",
    "load model",
    "compute",
    "write",
    "pictures",
    "rest",
    "send",
)
_WITHIN_S = 900.0


def main() -> None:
    """Print one table: a column for each pipeline, medians of the runs in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    values = parser.parse_args()
    measured = {name: _measure(name, values.slices, values.runs) for name in ("blur", "unet")}
    table = Table(title=f"CT of {values.slices} slices, median of {values.runs}, s", box=None)
    table.add_column("part")
    for name in measured:
        table.add_column(name, justify="right")
    for part in (*_PARTS, "total"):
        table.add_row(part, *(f"{columns[part]:.2f}" for columns in measured.values()))
    Console().print(table)


def _measure(pipeline: str, slices: int, runs: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        folder, destination = Path(name), Destination()
        node = NodeProcess(
            folder / "node",
            pipeline=pipeline,
            export_series=False,
            completion={"settle_s": 0.0},
            scu_ip="127.0.0.1",
            scu_port=destination.port,
            checkpoint_path=str(checkpoint_for_ct(folder / "ct.ckpt")),
        ).start()
        try:
            _one_run(node, destination, planning_ct(folder / "warm", 5))
            rounds = [
                _one_run(node, destination, planning_ct(folder / str(run), slices))
                for run in range(runs)
            ]
        finally:
            node.stop()
            destination.close()
    return {part: statistics.median(one[part] for one in rounds) for part in (*_PARTS, "total")}


def _one_run(node: NodeProcess, destination: Destination, paths: list[Path]) -> dict[str, float]:
    before = len(destination.first_byte_at)
    send(node, paths)
    answered_at = time.time()
    while len(destination.first_byte_at) == before:
        if time.time() - answered_at > _WITHIN_S:
            raise SystemExit(f"no result within {_WITHIN_S:.0f} s: {node.logs()[-2000:]}")
        time.sleep(0.01)
    first_byte_at = destination.first_byte_at[before]
    node.wait_for_state(series_uid(paths), "delivered")
    return _split(node, series_uid(paths), answered_at, first_byte_at)


def _split(
    node: NodeProcess, series_instance_uid: str, answered_at: float, first_byte_at: float
) -> dict[str, float]:
    ledger = open_ledger(node.storage_path)
    with ledger.reading() as connection:
        job = next(
            one for one in jobs_of(connection, series_instance_uid) if one.state == JobState.DONE
        )
        decided_at = next(
            at for at, kind, _ in events_of(connection, series_instance_uid) if kind == "processing"
        )
    ledger.close()
    if job.result is None or job.started_at is None or job.finished_at is None:
        raise SystemExit(f"job {job.job_id[:12]} has no result")
    parts = dict.fromkeys(_PARTS, 0.0) | job.result.seconds
    worked_s = sum(job.result.seconds.values())
    parts["completion"] = decided_at - answered_at
    parts["queue"] = job.started_at - decided_at
    parts["rest"] = job.finished_at - job.started_at - worked_s
    parts["send"] = first_byte_at - job.finished_at
    return parts | {"total": first_byte_at - answered_at}


if __name__ == "__main__":
    main()
