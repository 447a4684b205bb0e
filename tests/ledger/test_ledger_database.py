"""The ledger keeps what was committed, and its tables are those of its schema."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from core.config.settings import Configuration
from core.errors import StorageUnavailableError
from node.ledger import database, dialects
from node.ledger.database import open_ledger
from node.ledger.event_kinds import EventKind
from node.ledger.schema import metadata
from node.ledger.tables.events import events_of, record_event
from node.preflight import node_findings
from tests.support.databases import database_url_for, open_test_ledger

ROOT = Path(__file__).parents[2]


def test_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)
    with ledger.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_ledger_is_opened_again_with_what_it_held(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)
    with ledger.writing() as connection:
        record_event(connection, EventKind.CLOCK, "words", now=1.0, series_instance_uid="1.2")
    ledger.close()
    with open_test_ledger(tmp_path).reading() as connection:
        assert events_of(connection, "1.2") == [(1.0, "clock", "words")]


@pytest.mark.parametrize("purpose", ["writing", "logged"])
def test_a_failed_transaction_leaves_nothing(tmp_path: Path, purpose: str) -> None:
    ledger = open_test_ledger(tmp_path)
    transaction = getattr(ledger, purpose)
    with pytest.raises(ZeroDivisionError), transaction() as connection:
        record_event(connection, EventKind.CLOCK, "words", now=1.0, series_instance_uid="1.2")
        raise ZeroDivisionError
    with ledger.reading() as connection:
        assert events_of(connection, "1.2") == []
    with transaction() as connection:  # and nothing stands in the way of the next one
        record_event(connection, EventKind.CLOCK, "other words", now=2.0, series_instance_uid="1.2")
    with ledger.reading() as connection:
        assert events_of(connection, "1.2") == [(2.0, "clock", "other words")]


def test_writers_of_one_process_take_turns_without_asking_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "_BUSY_TIMEOUT_S", 0)  # who finds it locked fails at once
    ledger = open_ledger(tmp_path)
    failures: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(20):
                with ledger.writing() as connection:
                    record_event(
                        connection, EventKind.CLOCK, "w", now=1.0, series_instance_uid="1.2"
                    )
        except StorageUnavailableError as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with ledger.reading() as connection:
        assert len(events_of(connection, "1.2")) == 80


def test_a_writer_that_waits_too_long_for_its_turn_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_TURN_WITHIN_S", 0.05)
    ledger = open_ledger(tmp_path)
    with ledger.writing(), pytest.raises(StorageUnavailableError, match="other writers"):
        ledger.sync()
    ledger.sync()


def test_many_threads_write_without_losing_a_row(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)

    def write() -> None:
        for _ in range(10):
            with ledger.writing() as connection:
                before = len(events_of(connection, "1.2"))
                record_event(
                    connection, EventKind.CLOCK, str(before), now=1.0, series_instance_uid="1.2"
                )

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.reading() as connection:
        assert [words for _, _, words in events_of(connection, "1.2")] == [
            str(number) for number in range(40)
        ]


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from node.ledger.database import open_ledger\n"
        "from node.ledger.tables.events import record_event\n"
        "ledger = open_ledger(Path(sys.argv[1]), database_url=sys.argv[2] or None)\n"
        "with ledger.writing() as connection:\n"
        "    record_event(connection, 'k', 'kept', now=1.0, series_instance_uid='1.2')\n"
        "print('committed', flush=True)\n"
        "with ledger.writing() as connection:\n"
        "    record_event(connection, 'k', 'lost', now=1.0, series_instance_uid='1.2')\n"
        "    print('open', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), database_url_for(tmp_path) or ""],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert [process.stdout.readline().strip() for _ in range(2)] == ["committed", "open"]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with open_test_ledger(tmp_path).reading() as connection:
        assert [words for _, _, words in events_of(connection, "1.2")] == ["kept"]


def test_a_file_that_is_no_ledger_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageUnavailableError, match="The ledger failed: "):
        open_ledger(tmp_path)


def test_a_ledger_of_a_later_version_is_said_in_words(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)
    with ledger.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ledger.close()
    with pytest.raises(StorageUnavailableError, match="schema 9999 of a later version"):
        open_test_ledger(tmp_path)
    keys = {"storage_path": tmp_path, "scp_port": 0, "database_url": database_url_for(tmp_path)}
    findings = node_findings(Configuration.model_validate(keys), try_port=False)
    [wrong] = [wrong for name, _, wrong in findings if name == "ledger"]
    assert "schema 9999 of a later version" in wrong


def test_the_way_back_in_the_documentation_can_be_gone(tmp_path: Path) -> None:
    """After each part the tables have the schema that it names; at the end they are migrated."""
    page = (ROOT / "docs" / "reliability.md").read_text()
    parts = re.findall(r"^From (\d+) to (\d+):\n\n```sql\n(.*?)```", page, re.M | re.S)
    ledger = open_test_ledger(tmp_path)
    with ledger.writing() as connection:
        for later, earlier, block in parts:
            context = MigrationContext.configure(connection)
            assert context.get_current_revision() == later, "the way back begins at this version"
            for statement in block.split(";")[:-1]:
                connection.execute(text(statement))
            assert context.get_current_revision() == earlier
    assert earlier == "0008"
    ledger.close()
    ledger = open_test_ledger(tmp_path)
    with ledger.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_closing_waits_for_who_writes(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)
    writing, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with ledger.logged() as connection:
            record_event(connection, EventKind.CLOCK, "one", now=1.0, series_instance_uid="1.2")
            writing.set()
            go_on.wait(60)
            record_event(connection, EventKind.CLOCK, "two", now=2.0, series_instance_uid="1.2")

    writer, closer = threading.Thread(target=write), threading.Thread(target=ledger.close)
    writer.start()
    assert writing.wait(60)
    closer.start()
    closer.join(0.3)  # as far as it comes
    go_on.set()
    for thread in (writer, closer):
        thread.join(60)
    with open_test_ledger(tmp_path).reading() as connection:
        assert [words for _, _, words in events_of(connection, "1.2")] == ["one", "two"]
