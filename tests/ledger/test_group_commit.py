"""Transactions of several threads as one: where the ledger is away nobody waits for the others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger
from node.ledger.group_commit import GroupCommit, _Work
from tests.support.databases import open_test_ledger

WAITERS = 8


def run_at_once(commits: GroupCommit, *, away: threading.Event) -> list[str]:
    """What becomes of steps that wait while another one runs, and the ledger goes meanwhile."""
    begun, go_on = threading.Event(), threading.Event()
    outcomes: list[str] = []

    def hold(_: Connection) -> None:
        begun.set()
        go_on.wait(60)

    def wait() -> None:
        try:
            outcomes.append(str(commits.run(lambda _: "committed")))
        except StorageUnavailableError as error:
            outcomes.append(str(error))

    first = threading.Thread(target=commits.run, args=(hold,))
    first.start()
    begun.wait(60)
    waiters = [threading.Thread(target=wait) for _ in range(WAITERS)]
    for one in waiters:
        one.start()
    while len(commits._waiting) < WAITERS:
        threading.Event().wait(0.01)
    away.set()
    go_on.set()
    for one in (first, *waiters):
        one.join()
    return outcomes


def test_a_ledger_that_is_away_is_asked_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, away, asked = open_test_ledger(tmp_path), threading.Event(), []
    real = Ledger.writing

    @contextmanager
    def writing(self: Ledger) -> Iterator[Connection]:
        if not away.is_set():
            with real(self) as connection:
                yield connection
            return
        asked.append(1)
        raise StorageUnavailableError("The ledger failed: away")

    monkeypatch.setattr(Ledger, "writing", writing)
    outcomes = run_at_once(GroupCommit(ledger), away=away)
    assert outcomes == ["The ledger failed: away"] * WAITERS
    assert len(asked) == 1
    ledger.close()


def test_those_that_wait_share_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, commits = open_test_ledger(tmp_path), []
    real = Ledger.writing

    @contextmanager
    def writing(self: Ledger) -> Iterator[Connection]:
        commits.append(1)
        with real(self) as connection:
            yield connection

    monkeypatch.setattr(Ledger, "writing", writing)
    assert run_at_once(GroupCommit(ledger), away=threading.Event()) == ["committed"] * WAITERS
    assert len(commits) == 2  # the one that ran, and all that waited
    ledger.close()


def test_a_statement_that_the_ledger_could_not_run_fails_all_at_once(tmp_path: Path) -> None:
    ledger, steps = open_test_ledger(tmp_path), []
    commits = GroupCommit(ledger)

    def fail(_: Connection) -> None:
        steps.append(1)
        raise OperationalError("select 1", None, Exception("disk I/O error"))

    works = [_Work(fail) for _ in range(WAITERS)]
    commits._waiting.extend(works)
    commits._run_all()
    assert len(steps) == 1
    assert {str(one.error) for one in works} == {"The ledger failed: disk I/O error"}
    ledger.close()
