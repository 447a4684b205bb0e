"""A PostgreSQL that is frozen: it is there, confirms every packet, and answers nothing."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.errors import StorageUnavailableError
from network.sender import Sender
from node.ledger import dialects
from node.ledger.database import Ledger, open_ledger
from node.ledger.tables.instances import open_association, open_associations
from tests.support.node_process import NodeProcess, wait_until
from tests.support.peers import CT, EXPLICIT, IMPLICIT, associate, store_file
from tests.support.ports import free_port
from tests.support.postgresql import PostgresServer

pytestmark = pytest.mark.peer("initdb")
FAILS = pytest.raises(StorageUnavailableError, match="The ledger failed: ")


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


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


def open_one(ledger: Ledger) -> int:
    with ledger.writing() as connection:
        return open_association(connection, Sender("TPS", "NODE", "127.0.0.1"), 1.0)


def known(ledger: Ledger) -> list[int]:
    with ledger.reading() as connection:
        return open_associations(connection)


def test_a_ledger_that_was_idle_fails_soon_and_works_again(
    server: PostgresServer, ledger: Ledger
) -> None:
    first = open_one(ledger)
    with server.frozen():
        with within(60), FAILS:
            open_one(ledger)
        with within(60), FAILS:
            known(ledger)
    second = open_one(ledger)
    assert known(ledger) == [first, second]


def test_a_transaction_that_is_frozen_fails_and_is_rolled_back(
    server: PostgresServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "WRITE_WITHIN_S", 1.0)
    first = open_one(ledger)
    with within(60), FAILS, ledger.writing() as connection:
        open_association(connection, Sender("TPS", "NODE", "127.0.0.1"), 1.0)
        with server.frozen():
            open_association(connection, Sender("TPS", "NODE", "127.0.0.1"), 1.0)
    with within(60):
        second = open_one(ledger)  # the frozen transaction holds no lock any more
    assert known(ledger) == [first, second]


def test_a_start_fails_in_bounded_time(server: PostgresServer, tmp_path: Path) -> None:
    url = server.create_database(f"{tmp_path.name}-new")
    with server.frozen(), within(60), FAILS:
        open_ledger(tmp_path, database_url=url)


@pytest.mark.slow
def test_a_node_refuses_says_so_stops_and_loses_nothing(
    server: PostgresServer, tmp_path: Path, ct_folder: Path
) -> None:
    paths = sorted(ct_folder.glob("*.dcm"))[:4]
    node = NodeProcess(tmp_path, database_url=server.create_database(f"{tmp_path.name}-node"))
    port = free_port()
    node.start("--web-port", str(port))

    def ready() -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=30).status_code
        except httpx.ConnectError:
            return 0

    wait_until(lambda: ready() == 200)
    with associate(node.address, syntaxes=(EXPLICIT, IMPLICIT), classes=(CT,)) as association:
        assert store_file(association, paths[0]) == 0
        with server.frozen():
            with within(60):
                assert store_file(association, paths[1]) == 0xA700
            with within(60):
                assert ready() == 503
        assert [store_file(association, path) for path in paths] == [0] * 4
        wait_until(lambda: ready() == 200)
    with server.frozen(), within(60):
        assert node.stop(signal.SIGTERM) == 0
    node.start()
    wait_until(lambda: len(list(node.storage_path.rglob("*.dcm"))) == 4)
    assert node.stop() == 0
