"""`python -m bench.web`: pages and REST API while a series is being received.

One viewer scrolls at 30 slices a second, and 10 requests a second ask for the state of a job, from
a separate process. Rounds with and without them alternate, so that other load on the machine
affects both alike.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.series import planning_ct, series_uid
from node.ledger.database import open_ledger
from node.ledger.requests.jobs import jobs_of
from node.ledger.tables.case_numbers import case_numbers
from tests.support.node_process import NodeProcess, send, wait_until
from tests.support.ports import free_port

_SLICES_A_SECOND, _QUERIES_A_SECOND = 30, 10
_WITHIN_S = 600.0
_NICE = 10  # real viewers run on another machine


@dataclass
class Rounds:
    """Measurements in seconds."""

    quiet: list[float] = field(default_factory=list)
    """Time to receive the series without viewers."""
    watched: list[float] = field(default_factory=list)
    query: list[float] = field(default_factory=list)
    slices: list[float] = field(default_factory=list)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    values = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        rounds = _measure(Path(name), values.slices, values.rounds)
    Console().print(_table(rounds, values.slices))


def _measure(folder: Path, slices: int, rounds: int) -> Rounds:
    rules = [{"called_ae_title": "BLUR", "pipeline": "blur"}]
    web = {"in_dir_root": str(folder / "root")}
    node = NodeProcess(folder / "node", rules=rules, web=web, completion={"settle_s": 0.0})
    port, measured = free_port(), Rounds()
    node.start("--web-port", str(port))
    try:
        shown = planning_ct(folder / "shown", slices)
        send(node, shown, called="BLUR")
        wait_until(lambda: _is_done(node, shown), _WITHIN_S)
        scrolled = _slice_paths(node, shown, slices)
        uid = _uid_of_job(port, folder / "root")
        send(node, planning_ct(folder / "warm", 5))
        for number in range(rounds):
            measured.quiet.append(_receive(node, planning_ct(folder / f"q{number}", slices)))
            paths = planning_ct(folder / f"w{number}", slices)
            _receive_watched(node, paths, measured, (port, f"/query/{uid}", scrolled))
    finally:
        node.stop()
    return measured


def _receive(node: NodeProcess, paths: list[Path]) -> float:
    begun = time.monotonic()
    send(node, paths)
    return time.monotonic() - begun


Look = tuple[int, str, list[str]]
"""Port, path of the query, paths of the slices."""


def _receive_watched(node: NodeProcess, paths: list[Path], measured: Rounds, look: Look) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_look, args=(theirs, look))
    process.start()
    ours.recv()  # it has begun
    measured.watched.append(_receive(node, paths))
    ours.send("stop")
    query, slices = ours.recv()
    process.join()
    measured.query += query
    measured.slices += slices


def _look(pipe: Connection, look: Look) -> None:
    """Scroll and ask until told to stop, then send the latencies; runs in a separate process."""
    os.nice(_NICE)
    port, query, slices = look
    stop = threading.Event()
    found: tuple[list[float], list[float]] = ([], [])
    asked = zip(([query], slices), (_QUERIES_A_SECOND, _SLICES_A_SECOND), found, strict=True)
    threads = [
        threading.Thread(
            target=_ask, args=(port, paths, rate), kwargs={"taken_s": taken_s, "stop": stop}
        )
        for paths, rate, taken_s in asked
    ]
    for thread in threads:
        thread.start()
    while not all(found):
        time.sleep(0.01)
    pipe.send("begun")
    pipe.recv()
    stop.set()
    for thread in threads:
        thread.join()
    pipe.send(found)


def _ask(
    port: int, paths: Sequence[str], rate: float, *, taken_s: list[float], stop: threading.Event
) -> None:
    """Ask at a steady rate; a request delayed by a late answer counts from when it was due."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun, number = time.monotonic(), 0
    while not stop.is_set():
        due = begun + number / rate
        stop.wait(max(0.0, due - time.monotonic()))
        connection.request(
            "GET", paths[number % len(paths)], headers={"Accept-Encoding": "deflate"}
        )
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (200, 202, 422):  # 422: that job has failed, as told
            raise SystemExit(f"{paths[number % len(paths)]}: {answer.status}")
        taken_s.append(time.monotonic() - due)
        number += 1


def _is_done(node: NodeProcess, paths: list[Path]) -> bool:
    history = node.history(series_uid(paths))
    return history is not None and history.state == "done"


def _slice_paths(node: NodeProcess, paths: list[Path], slices: int) -> list[str]:
    uid = series_uid(paths)
    ledger = open_ledger(node.storage_path)
    with ledger.reading() as connection:
        number = case_numbers(connection, [uid])[uid]
        [job] = jobs_of(connection, uid)
    ledger.close()
    return [f"/cases/{number}/results/{job.job_id}/slices/{index}" for index in range(slices)]


def _uid_of_job(port: int, root: Path) -> str:
    """UID of a job to ask about; its folder is empty, so that nothing runs."""
    (root / "empty").mkdir(parents=True)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"job_name": "blur", "in_dir": "empty"})
    connection.request("POST", "/job/", body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["uid"])


def _table(rounds: Rounds, slices: int) -> Table:
    table = Table("asked", "times", "median ms", "p99 ms", box=None)
    table.title = f"while a CT of {slices} slices 512 x 512 is received"
    for name, taken_s in (("/query/UID", rounds.query), ("slice", rounds.slices)):
        ordered = sorted(taken_s)
        p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        median = statistics.median(ordered)
        table.add_row(name, str(len(ordered)), f"{1000 * median:.1f}", f"{1000 * p99:.1f}")
    quiet, watched = statistics.median(rounds.quiet), statistics.median(rounds.watched)
    table.caption = (
        f"received in {quiet:.2f} s alone, {watched:.2f} s while looked at: "
        f"{100 * (watched / quiet - 1):+.0f} % (medians of {len(rounds.quiet)} rounds)"
    )
    return table


if __name__ == "__main__":
    main()
