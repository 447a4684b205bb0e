"""A full or read-only disk under the ledger is said in one sentence, and passes."""

import subprocess
from pathlib import Path

import pytest

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger, open_ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import events_of, record_event
from tests.support.small_disk import fill, small_disk


def note(ledger: Ledger, words: str) -> None:
    with ledger.writing() as connection:
        record_event(connection, EventKind.CLOCK, words, now=1.0, series_instance_uid="1.2")


def notes(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return [words[:5] for _, _, words in events_of(connection, "1.2")]


def test_a_full_disk_refuses_a_transaction_and_the_same_ledger_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as folder:
        ledger = open_ledger(folder)
        note(ledger, "first")
        filling = fill(folder, leaving=16384)
        with pytest.raises(StorageUnavailableError, match=r"^The ledger failed: .*full$"):
            note(ledger, "large" * 100_000)
        assert notes(ledger) == ["first"]
        filling.unlink()
        note(ledger, "after")
        assert notes(ledger) == ["first", "after"]
        ledger.close()


def test_a_read_only_disk_is_said_when_a_ledger_is_opened_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as folder:
        open_ledger(folder).close()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(StorageUnavailableError, match=r"read-?only|unable to open") as caught:
            open_ledger(folder)
        assert "\n" not in str(caught.value)
