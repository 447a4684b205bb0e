"""Repeated steps: at once after the ledger changed, whoever wrote to it, and rarely without."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import structlog

from core.errors import StorageUnavailableError
from node import rounds
from node.ledger.database import Ledger
from node.ledger.tables.events import record_event
from node.rounds import Rounds
from tests.support.databases import open_test_ledger
from tests.support.node_process import wait_until


class Counter:
    """A step that counts how often it is taken."""

    def __init__(self) -> None:
        self.count = 0
        self.taken = threading.Event()

    def __call__(self) -> bool:
        self.count += 1
        self.taken.set()
        return False


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_test_ledger(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def running(ledger: Ledger) -> Iterator[Rounds]:
    running = Rounds(ledger)
    yield running
    running.stop()
    running.join(60)


def write(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        record_event(connection, cast(Any, "test"), "something", now=1.0)


def test_the_version_changes_with_what_anybody_commits(ledger: Ledger, tmp_path: Path) -> None:
    first = ledger.version()
    assert ledger.version() == first
    write(ledger)
    second = ledger.version()
    assert second != first
    other = open_test_ledger(tmp_path)
    write(other)
    other.close()
    assert ledger.version() != second


def test_a_change_by_another_process_is_seen_at_once(
    ledger: Ledger, running: Rounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "_LATENESS", 1000.0)  # without a change it rests for long
    monkeypatch.setattr(rounds, "_RAREST_S", 600.0)
    step, other = Counter(), open_test_ledger(tmp_path)
    running.watch()
    time.sleep(0.5)
    running.start("counting", step)
    assert step.taken.wait(60)
    before = step.count
    write(other)
    other.close()
    wait_until(lambda: step.count > before)


def test_a_step_is_taken_rarely_while_nothing_happens(
    running: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "_LATENESS", 1000.0)
    monkeypatch.setattr(rounds, "_RAREST_S", 600.0)
    step, clock = Counter(), Counter()
    begun = time.monotonic()
    running.start("counting", step)
    running.start("clock", clock, is_clock=True)
    wait_until(lambda: clock.count > 5)
    assert step.count <= 2
    assert time.monotonic() - begun > 0.9  # 0.2 s between two


def test_a_fault_is_said_once_and_the_step_tried_again(running: Rounds) -> None:
    tried = Counter()

    def fail() -> None:
        tried()
        raise StorageUnavailableError("The ledger failed: it is away")

    with structlog.testing.capture_logs() as said:
        running.start("failing", fail)
        wait_until(lambda: tried.count >= 3)
    assert [one["fault"] for one in said] == ["The ledger failed: it is away"]


def test_a_stop_wakes_who_rests(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_LATENESS", 1000.0)
    monkeypatch.setattr(rounds, "_RAREST_S", 600.0)
    running, step = Rounds(ledger), Counter()
    running.watch()
    running.start("counting", step)
    assert step.taken.wait(60)

    def stop() -> None:
        running.stop()
        running.join(600.0)

    stopping = threading.Thread(target=stop)
    stopping.start()
    stopping.join(120)
    assert not stopping.is_alive()
