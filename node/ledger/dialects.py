"""Engines and transactions of SQLite and PostgreSQL, with the same guarantees on both.

Transactions read rows and then write what follows from them, so that only one may write at a time:
by `BEGIN IMMEDIATE` on SQLite, by an advisory lock on PostgreSQL.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import StorageUnavailableError
from node.ledger.postgresql import (
    MIGRATE_WITHIN_S,
    READ_WITHIN_S,
    WRITE_WITHIN_S,
    BoundedConnection,
    postgresql_engine,
)

READING, WRITING, LOGGED = "reading", "writing", "logged"
_BUSY_TIMEOUT_S = 30
_WRITERS_LOCK = 5_115_227_093  # any number that other users of the server do not lock
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_BEGIN = {
    ("sqlite", READING): "BEGIN",
    ("sqlite", WRITING): "BEGIN IMMEDIATE",
    ("sqlite", LOGGED): "BEGIN IMMEDIATE",
    ("postgresql", READING): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    ("postgresql", WRITING): "BEGIN ISOLATION LEVEL READ COMMITTED",
    ("postgresql", LOGGED): "BEGIN ISOLATION LEVEL READ COMMITTED",
}
# A commit of WRITING syncs those of LOGGED before it, too: SQLite's log is one file. A PostgreSQL
# server that dies, though the machine does not, would lose what it had not synced.
_SYNCHRONOUS = {WRITING: "PRAGMA synchronous=FULL", LOGGED: "PRAGMA synchronous=NORMAL"}


def make_engine(database_url: str) -> Engine:
    """Make the SQLAlchemy engine of a database.

    Raises:
        StorageUnavailableError: the URL names neither SQLite nor PostgreSQL.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StorageUnavailableError(
            "database_url is not a URL, expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from error
    if url.drivername == "sqlite":
        return _sqlite(url)
    if url.drivername in _POSTGRESQL:
        return _postgresql(url.set(drivername="postgresql+psycopg"))
    raise StorageUnavailableError(
        f"database_url begins with {url.drivername}://, expected postgresql://"
    )


@contextmanager
def begin(connection: Connection, purpose: str) -> Iterator[None]:
    """Begin a transaction for a purpose; commit it at the end, or roll it back on an error."""
    connection.execution_options(purpose=purpose)
    with connection.begin():
        if purpose != READING and connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_WRITERS_LOCK,))
        yield


@contextmanager
def without_limits(connection: Connection) -> Iterator[None]:
    """Let statements take the time that they need, as a migration of many rows does."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, BoundedConnection):
        yield
        return
    before, driver.limit_s = driver.limit_s, MIGRATE_WITHIN_S
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    yield  # an error ends the transaction, and with it both
    connection.exec_driver_sql("SET LOCAL statement_timeout TO DEFAULT")
    driver.limit_s = before


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: URL) -> Engine:
    engine = postgresql_engine(url)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin below, not where sqlite3 guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    purpose = connection.get_execution_options().get("purpose", READING)
    pragma = _SYNCHRONOUS.get(purpose) if connection.dialect.name == "sqlite" else None
    if pragma is not None and connection.info.get("synchronous") != pragma:
        connection.exec_driver_sql(pragma)
        connection.info["synchronous"] = pragma
    driver = connection.connection.driver_connection
    if isinstance(driver, BoundedConnection):
        driver.limit_s = READ_WITHIN_S if purpose == READING else WRITE_WITHIN_S
    connection.exec_driver_sql(_BEGIN[connection.dialect.name, purpose])
