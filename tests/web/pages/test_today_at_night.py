"""What came before midnight is not gone a moment later."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.support.web.clinic import Clinic, open_clinic
from web.cases.about import about_reader
from web.cases.cases import Cases
from web.overview.no_rule import UntakenCases
from web.overview.today import today


def came_at(clinic: Clinic, now: str) -> tuple[str, int]:
    """From when on, and how many."""
    clinic.completion.clock.now = datetime.fromisoformat(now).timestamp()
    ledger = clinic.completion.ledger
    cases = Cases(ledger, about_reader())
    shown = today(ledger, cases, UntakenCases(ledger, cases))
    return shown.since, len(shown.came)


@pytest.fixture
def clinic(tmp_path: Path, ct_folder: Path) -> Clinic:
    """With one case, of 23:50."""
    clinic = open_clinic(tmp_path)
    clinic.completion.clock.now = datetime.fromisoformat("2026-03-10 23:50").timestamp()
    clinic.completion.send(sorted(ct_folder.glob("*.dcm"))[:2])
    return clinic


@pytest.mark.parametrize(
    ("now", "since", "count"),
    [
        ("2026-03-10 23:59", "today", 1),
        ("2026-03-11 00:10", "since 18:10", 1),
        ("2026-03-11 05:49", "since 23:49", 1),
        ("2026-03-11 05:51", "since 23:51", 0),
        ("2026-03-11 06:00", "today", 0),
    ],
)
def test_at_night_today_begins_six_hours_ago(
    clinic: Clinic, now: str, since: str, count: int
) -> None:
    assert came_at(clinic, now) == (since, count)
