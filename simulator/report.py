"""Presentation of an outcome: table, last line, JSON report and picture."""

import json
from pathlib import Path

from rich.table import Table

from simulator.picture import write_contour_picture
from simulator.scenario import PASSED, Outcome, Scenario, counted


def write_results(scenario: Scenario, outcome: Outcome) -> list[Path]:
    """Write report.json, and contours.png if contours were returned; returns their paths."""
    scenario.output.mkdir(parents=True, exist_ok=True)
    report = scenario.output / "report.json"
    report.write_text(json.dumps(outcome.report(), indent=2) + "\n")
    picture = scenario.output / "contours.png"
    sent = {header.sop_instance_uid: header for header in outcome.sent}
    pairs = {one.truth_name: one.structure for one in outcome.agreements}
    drawn = write_contour_picture(picture, sent, outcome.contours, truth=outcome.truth, pairs=pairs)
    return [report, picture] if drawn else [report]


def table_of(outcome: Outcome) -> Table:
    """Table of the steps and checks, with their results."""
    table = Table("step", "result", "", title="Planning system simulator")
    table.add_row("sent", counted(len(outcome.sent), "instances"), _seconds(outcome, "sending"))
    table.add_row("stored", counted(outcome.stored, "instances"), "")
    times = f" on {counted(outcome.associations, 'associations')}" if outcome.associations else ""
    table.add_row("received", outcome.came_back + times, _seconds(outcome, "waiting"))
    for check in outcome.checks:
        table.add_row(check.name, check.words, "ok" if check.passed else "WRONG")
    for words in [] if outcome.truth is None else outcome.truth.findings:
        table.add_row("truth", words, "note")
    for one in outcome.agreements:
        words = f"Dice {one.dice:.3f}, 95 % Hausdorff {one.hausdorff_95_mm:.2f} mm"
        table.add_row(
            f"{one.structure} / {one.truth_name}", words, counted(one.instances, "instances")
        )
    return table


def last_line(outcome: Outcome) -> str:
    """PASS or FAIL, with the reason."""
    return f"{'PASS' if outcome.exit_code == PASSED else 'FAIL'}: {outcome.reason}"


def _seconds(outcome: Outcome, step: str) -> str:
    return f"{outcome.seconds[step]:.1f} s" if step in outcome.seconds else ""
