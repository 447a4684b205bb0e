"""The ledger in PostgreSQL: commits survive the server's end, and mistakes are said in words."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.command
import pytest

from core.errors import StorageUnavailableError
from network.sender import Sender
from node.ledger.database import Ledger, open_ledger
from node.ledger.event_kinds import EventKind
from node.ledger.postgresql import MIGRATE_WITHIN_S, WRITE_WITHIN_S
from node.ledger.tables.events import events_of, record_event
from node.ledger.tables.instances import open_association, sender_of
from tests.support.postgresql import PostgresServer

pytestmark = pytest.mark.peer("initdb")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def ledger(server: PostgresServer, tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(tmp_path, database_url=server.create_database(tmp_path.name))
    yield ledger
    ledger.close()


def note(ledger: Ledger, words: str) -> None:
    with ledger.writing() as connection:
        record_event(connection, EventKind.CLOCK, words, now=1.0, series_instance_uid="1.2")


def notes(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return [words for _, _, words in events_of(connection, "1.2")]


def test_commits_survive_the_servers_crash_and_the_same_ledger_goes_on(
    server: PostgresServer, ledger: Ledger
) -> None:
    note(ledger, "kept")
    with pytest.raises(StorageUnavailableError), ledger.writing() as connection:
        record_event(connection, EventKind.CLOCK, "lost", now=1.0, series_instance_uid="1.2")
        server.kill()
    begun = time.monotonic()
    with pytest.raises(StorageUnavailableError, match="The ledger failed: "):
        note(ledger, "refused")
    assert time.monotonic() - begun < 60
    server.start()
    note(ledger, "after")
    assert notes(ledger) == ["kept", "after"]


def test_a_nul_in_what_a_peer_says_does_not_stop_the_ledger(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        key = open_association(connection, Sender("A\0B", "SLICEWIRE", "127.0.0.1"), 1.0)
        assert sender_of(connection, key).calling_ae_title == "A\ufffdB"
    note(ledger, "status 0xC000: \0\0")
    assert notes(ledger) == ["status 0xC000: \ufffd\ufffd"]


def test_writers_take_turns(ledger: Ledger) -> None:
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
    assert notes(ledger) == [str(number) for number in range(40)]


def test_a_reader_sees_one_state_while_others_write(ledger: Ledger) -> None:
    note(ledger, "first")
    with ledger.reading() as connection:
        before = events_of(connection, "1.2")
        note(ledger, "second")
        assert events_of(connection, "1.2") == before
    assert notes(ledger) == ["first", "second"]


def test_a_database_of_another_storage_folder_is_refused(
    server: PostgresServer, tmp_path: Path
) -> None:
    url = server.create_database(f"{tmp_path.name}-shared")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    open_ledger(tmp_path / "one", database_url=url).close()
    with pytest.raises(StorageUnavailableError, match="belongs to storage folder"):
        open_ledger(tmp_path / "other", database_url=url)
    open_ledger(tmp_path / "one", database_url=url).close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u:hidden@127.0.0.1/x", "database_url begins with mysql://, expected postgresql"),
        ("no url, hidden", "database_url is not a URL, expected postgresql://USER:PASSWORD@HOST"),
        ("postgresql://u:hidden@127.0.0.1:1/x", "The ledger failed: "),
    ],
)
def test_a_wrong_url_is_said_without_its_password(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(StorageUnavailableError, match=sentence) as caught:
        open_ledger(tmp_path, database_url=url)
    assert "hidden" not in str(caught.value)


def test_a_migration_has_the_time_that_it_needs(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[tuple[str, float]] = []
    upgrade = alembic.command.upgrade

    def limits_of(connection: Any) -> tuple[str, float]:
        on_server = connection.exec_driver_sql("SHOW statement_timeout").scalar()
        return on_server, connection.connection.driver_connection.limit_s

    def look(config: Any, revision: str) -> None:
        limits.append(limits_of(config.attributes["connection"]))
        upgrade(config, revision)

    monkeypatch.setattr(alembic.command, "upgrade", look)
    url = server.create_database(f"{tmp_path.name}-slow")
    ledger = open_ledger(tmp_path, database_url=url)
    with ledger.writing() as connection:
        limits.append(limits_of(connection))
    ledger.close()
    assert limits == [("0", MIGRATE_WITHIN_S), ("30s", WRITE_WITHIN_S)]
