"""Running `model.prepare` and reading what it reports."""

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from model import prepare

Task = TypeVar("Task")
Result = TypeVar("Result")


def prepared(
    source: Path, output: Path, *options: str, in_a_process: bool = False
) -> dict[str, Any]:
    """The report of a run that ended well; patients are prepared here unless `in_a_process`."""
    given = ["--input", str(source), "--output", str(output), "--workers", "1", *options]
    if in_a_process:
        assert prepare.main(given) == 0
        return report_of(output)
    with mock.patch("model.preparation.run.in_processes", in_turn):
        assert prepare.main(given) == 0
    return report_of(output)


def in_turn(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    *,
    died: Callable[[Task], Result],
) -> Iterator[Result]:
    """As `in_processes`; what would go to a process and come back is pickled all the same."""
    for task in tasks:
        there, given = pickle.loads(pickle.dumps((work, task)))
        yield pickle.loads(pickle.dumps(there(given)))


def report_of(output: Path) -> dict[str, Any]:
    """The JSON beside a data set."""
    content: dict[str, Any] = json.loads((output.parent / f"{output.stem}.report.json").read_text())
    return content


def findings(report: dict[str, Any]) -> dict[str, list[str]]:
    """Words by kind, of all patients and of the input."""
    remarks = [*report["remarks"], *(one for p in report["patients"] for one in p["findings"])]
    by_kind: dict[str, list[str]] = {}
    for one in remarks:
        by_kind.setdefault(one["kind"], []).append(f"{one['key']}: {one['words']}")
    return by_kind
