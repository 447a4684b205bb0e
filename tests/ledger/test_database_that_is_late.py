"""A PostgreSQL that starts after the node: waited for; one that refuses is not."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.errors import DatabaseAbsentError, StorageUnavailableError
from node.ledger.awaiting import open_when_there
from node.ledger.database import open_ledger
from node.ledger.tables.instances import open_associations
from tests.support.postgresql import PostgresServer

pytestmark = pytest.mark.peer("initdb")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.stop()


def never(_: float) -> bool:
    pytest.fail("it waits")


def test_a_start_waits_with_one_line_for_a_database_that_is_not_there(
    server: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opens = partial(open_ledger, tmp_path, database_url=server.create_database("late"))
    server.kill()
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            server.start()
        return False

    ledger = open_when_there(opens, wait)
    with ledger.reading() as connection:
        assert open_associations(connection) == []
    ledger.close()
    assert len(waits) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("The ledger failed: ")
    assert line.endswith(": the node waits until the database is there")


def test_a_stop_ends_the_wait(server: PostgresServer, tmp_path: Path) -> None:
    url = server.create_database("stopped")
    with server.frozen(), pytest.raises(SystemExit) as end:
        open_when_there(partial(open_ledger, tmp_path, database_url=url), lambda _: True)
    assert end.value.code == 0


def test_a_refusal_of_the_database_ends_the_start(server: PostgresServer, tmp_path: Path) -> None:
    for url in (server.url("no_such_database"), server.url().replace("postgres@", "nobody@")):
        with pytest.raises(StorageUnavailableError, match="does not exist") as refusal:
            open_when_there(partial(open_ledger, tmp_path, database_url=url), never)
        assert not isinstance(refusal.value, DatabaseAbsentError)
