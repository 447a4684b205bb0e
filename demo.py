"""Demonstration on this machine: send a real cardiac series to a node and receive contours.

Starts the node on free ports, simulates the planning system with a patient that the shipped model
was not trained on, and compares the results with hand-drawn contours. Exit code 0 for PASS, else 1.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from core.console import plain_console
from core.errors import ConfigurationError
from core.log import quieten_libraries
from core.private_files import keep_files_private
from network.scu.association import PeerAddress
from node.ledger.database import open_ledger
from node.ledger.views.series_history import SeriesHistory, latest_histories
from pipeline.workspace import REPORT_FILE
from simulator.report import last_line, write_results
from simulator.run import simulate
from simulator.scenario import PASSED, Outcome, Scenario

_HERE = Path(__file__).parent
_OUTPUT = Path("demo_output")
_SERIES = _HERE / "samples" / "sunnybrook" / "dicoms" / "SCD0000501"
_CONTOURS = _HERE / "samples" / "sunnybrook" / "contourfiles" / "SC-HF-I-6" / "i-contours"
_ON_THIS_MACHINE = "127.0.0.1"
_START_WITHIN_S = 120.0
_RESULTS_WITHIN_S = 300.0
_STOP_WITHIN_S = 60.0


@dataclass(slots=True)
class _Node:
    """The node in its own process, as in the clinic."""

    port: int
    storage_path: Path
    process: subprocess.Popen[str] | None = None

    def start(self, results_port: int) -> None:
        """Start the node, with `results_port` for results, and wait until it listens."""
        command = [sys.executable, str(_HERE / "scp_server.py")]
        command += ["--config", str(_HERE / "config.yaml"), "--scp_ip", _ON_THIS_MACHINE]
        command += ["--scp_port", str(self.port), "--storage_path", str(self.storage_path)]
        command += ["--web_port", "0"]
        command += ["--scu_ip", _ON_THIS_MACHINE, "--scu_port", str(results_port)]
        self.process = subprocess.Popen(  # noqa: S603, our own program
            command, stdout=subprocess.PIPE, text=True
        )
        begun = time.monotonic()
        line = self.process.stdout.readline() if self.process.stdout else ""
        if "listens" not in line or time.monotonic() - begun > _START_WITHIN_S:
            raise ConfigurationError("the node did not start; its log says why")

    def stop(self) -> None:
        """Stop the node as an operator would."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> int:
    """Run the demonstration; returns the exit code."""
    keep_files_private()
    quieten_libraries()
    out = plain_console()
    shutil.rmtree(_OUTPUT, ignore_errors=True)
    node = _Node(_free_port(), _OUTPUT / "node")
    scenario = Scenario(
        folder=_SERIES,
        node=PeerAddress(_ON_THIS_MACHINE, node.port, "SLICEWIRE"),
        output=_OUTPUT / "planning_system",
        ae_title="DEMO",  # no peer of config.yaml: results go to --scu_port
        truth=_CONTOURS,
        expect="structure_set",
        timeout_s=_RESULTS_WITHIN_S,
    )
    try:
        outcome = simulate(scenario, on_listening=node.start, on_step=out.print)
    except ConfigurationError as error:
        out.print(f"FAIL: {error}")
        return 1
    finally:
        node.stop()
    history, report = _history_and_report(node.storage_path)
    pictures = [path for path in write_results(scenario, outcome) if path.suffix == ".png"]
    out.print(_table(outcome, history, report))
    for path in pictures:
        out.print(f"Picture, returned contours beside those drawn by hand: {path}")
    out.print(last_line(outcome))
    return 0 if outcome.exit_code == PASSED else 1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ON_THIS_MACHINE, 0))
        return int(probe.getsockname()[1])


def _history_and_report(storage_path: Path) -> tuple[SeriesHistory | None, dict[str, Any]]:
    ledger = open_ledger(storage_path)
    histories = latest_histories(ledger, limit=1)
    ledger.close()
    if not histories or not histories[-1].result_folders:
        return (histories[-1] if histories else None), {}
    report = Path(histories[-1].result_folders[-1], REPORT_FILE)
    content: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return histories[-1], content


def _table(outcome: Outcome, history: SeriesHistory | None, report: dict[str, Any]) -> Table:
    table = Table("step", "what happened", title="A series in, contours back")
    took = outcome.seconds
    table.add_row("sent", f"{len(outcome.sent)} instances in {took.get('sending', 0):.1f} s")
    table.add_row("stored", f"{outcome.stored} instances, answered 0x0000")
    if history is not None:
        table.add_row("completion", f"{history.settled_s or 0:.1f} s after the association ended")
        table.add_row("node's verdict", f"{history.state}: {history.reason}")
    if report:
        seconds = report["result"]["seconds"]
        parts = ", ".join(f"{step} {value:.1f} s" for step, value in seconds.items())
        table.add_row("pipeline", f"{sum(seconds.values()):.1f} s ({parts})")
        table.add_row("model", f"{report['model']['name']} {report['model']['version']}")
    table.add_row("received", f"{outcome.came_back} after {took.get('waiting', 0):.1f} s")
    for check in outcome.checks:
        table.add_row(
            f"checked: {check.name}", f"{'ok' if check.passed else 'WRONG'}: {check.words}"
        )
    for one in outcome.agreements:
        words = f"Dice {one.dice:.3f}, 95 % Hausdorff {one.hausdorff_95_mm:.2f} mm"
        table.add_row(one.structure, f"{words} on {one.instances} hand-drawn contours")
    return table


if __name__ == "__main__":
    sys.exit(main())
