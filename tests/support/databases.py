"""The ledger's database for tests: SQLite, or a real PostgreSQL when the environment says so.

`SLICEWIRE_TEST_DATABASE=postgresql` runs the same tests on a private server.
"""

import atexit
import functools
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy import create_engine

from core.storage_layout import StorageLayout
from node.ledger.database import Ledger, migrate, open_ledger
from node.ledger.dialects import WRITING, begin, make_engine
from tests.support.postgresql import PostgresServer

_TEMPLATE = "migrated"


def open_test_ledger(storage_path: Path, clock: Callable[[], float] = time.time) -> Ledger:
    """The ledger of a storage folder."""
    if is_sqlite() and not StorageLayout(storage_path).ledger.exists():
        StorageLayout(storage_path).ledger.write_bytes(_migrated())
    return open_ledger(storage_path, clock, database_url=database_url_for(storage_path))


def empty_database_url_for(storage_path: Path) -> str | None:
    """A database without tables for a storage folder; None for SQLite."""
    return None if is_sqlite() else _server().create_database(_name_for(storage_path))


def database_url_for(storage_path: Path) -> str | None:
    """The database of a storage folder, made at the first question; None for SQLite."""
    if is_sqlite():
        return None
    server, name = _server(), _name_for(storage_path)
    with psycopg.connect(server.url()) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if known.fetchone():
            return server.url(name)
    return server.create_database(name, _TEMPLATE)


def _name_for(storage_path: Path) -> str:
    return f"t{hashlib.sha256(str(storage_path.absolute()).encode()).hexdigest()[:16]}"


def is_sqlite() -> bool:
    """True if the ledgers of these tests are files in their storage folders."""
    return os.environ.get("SLICEWIRE_TEST_DATABASE", "sqlite") == "sqlite"


@functools.cache
def _migrated() -> bytes:
    """A SQLite database with the tables of now and nobody's: migrations are run once a process."""
    with tempfile.TemporaryDirectory(prefix="slicewire-ledger-") as folder:
        path = StorageLayout(Path(folder)).ledger
        engine = make_engine(f"sqlite:///{path}")
        with engine.connect() as connection, begin(connection, WRITING):
            migrate(connection)
        engine.dispose()
        return path.read_bytes()


@functools.cache
def _server() -> PostgresServer:
    server = PostgresServer()
    atexit.register(server.stop)
    engine = create_engine(
        server.create_database(_TEMPLATE).replace("postgresql://", "postgresql+psycopg://")
    )
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    return server
