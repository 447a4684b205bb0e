"""Running `model.prepare` and reading what it reports."""

import json
from pathlib import Path
from typing import Any

from model import prepare


def prepared(source: Path, output: Path, *options: str) -> dict[str, Any]:
    """The report of a run that ended well."""
    given = ["--input", str(source), "--output", str(output), "--workers", "1", *options]
    assert prepare.main(given) == 0
    return report_of(output)


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
