"""One database behind the ledger: opened, migrated, and used in whole transactions."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import alembic.command
import alembic.config
from sqlalchemy import Connection, Engine, PoolProxiedConnection, update
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StorageUnavailableError
from core.storage_layout import StorageLayout
from node.ledger.dialects import LOGGED, READING, WRITING, begin, make_engine
from node.ledger.node_tables import identity
from node.ledger.ownership import check_owner

_TURN_WITHIN_S = 30.0
_SNAPSHOT = "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
_MIGRATIONS = Path(__file__).parent.parent / "migrations"


class Ledger:
    """Transactions on the ledger of one storage folder, and the clock that stamps its rows."""

    def __init__(self, engine: Engine, clock: Callable[[], float], storage_path: Path) -> None:
        self._engine = engine
        self.clock = clock
        self.storage_path = storage_path
        self.dialect = engine.dialect
        # Whoever finds SQLite locked sleeps, for longer and longer; here the next one is woken.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._kept: Connection | None = None
        self._watching: PoolProxiedConnection | None = None
        self._is_closed = False

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; one at a time, committed at its end, durable after it.

        Raises:
            StorageUnavailableError: the database cannot be read or written.
        """
        with self._transaction(WRITING) as connection:
            yield connection

    @contextmanager
    def logged(self) -> Iterator[Connection]:
        """As `writing`, for what is also in a synced log: it may be lost by a power cut.

        Not by a crash of the node, nor once a later transaction of `writing` is over.

        Raises:
            StorageUnavailableError: the database cannot be read or written.
        """
        with self._transaction(LOGGED) as connection:
            yield connection

    def sync(self) -> None:
        """What `logged` has committed so far is as durable as what `writing` commits.

        Raises:
            StorageUnavailableError: the database cannot be written.
        """
        with self.writing() as connection:  # a commit that writes nothing syncs nothing
            connection.execute(update(identity).values(storage_id=identity.c.storage_id))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger.

        Raises:
            StorageUnavailableError: the database cannot be read.
        """
        with self._transaction(READING) as connection:
            yield connection

    @contextmanager
    def _transaction(self, purpose: str) -> Iterator[Connection]:
        try:
            with (
                self._turn_of(purpose),
                self._connection(purpose) as connection,
                begin(connection, purpose),
            ):
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StorageUnavailableError(f"The ledger failed: {_first_line(error)}") from error

    @contextmanager
    def _connection(self, purpose: str) -> Iterator[Connection]:
        """Where writers take turns `logged` has its own: to get one takes longer than its work."""
        if self._turn is None or purpose != LOGGED or self._is_closed:
            with self._engine.connect() as connection:
                yield connection
            return
        if self._kept is None:
            self._kept = self._engine.connect()
        try:
            yield self._kept
        except BaseException:
            self._drop_kept()
            raise

    def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    @contextmanager
    def _turn_of(self, purpose: str) -> Iterator[None]:
        if self._turn is None or purpose == READING:
            yield
            return
        if not self._turn.acquire(timeout=_TURN_WITHIN_S):
            raise StorageUnavailableError(
                f"The ledger failed: other writers took longer than {_TURN_WITHIN_S:g} s"
            )
        try:
            yield
        finally:
            self._turn.release()

    def version(self) -> object:
        """Another value after anybody, this process included, has committed something.

        For one thread alone. SQLite counts for each connection, so this one is kept.

        Raises:
            StorageUnavailableError: the database cannot be read.
        """
        try:
            if self.dialect.name != "sqlite":
                with self._engine.connect() as connection:
                    return connection.exec_driver_sql(_SNAPSHOT).scalar()
            if self._watching is None:
                self._watching = self._engine.raw_connection()
            driver = cast(sqlite3.Connection, self._watching.driver_connection)
            return driver.execute("PRAGMA data_version").fetchone()[0]
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StorageUnavailableError(f"The ledger failed: {_first_line(error)}") from error

    def close(self) -> None:
        """Close every connection, once nobody writes any more."""
        with suppress(StorageUnavailableError), self._turn_of(LOGGED):
            self._is_closed = True
            self._drop_kept()
        if self._watching is not None:
            self._watching.close()
        self._engine.dispose()


def open_ledger(
    storage_path: Path,
    clock: Callable[[], float] = time.time,
    *,
    database_url: str | None = None,
) -> Ledger:
    """The ledger of `storage_path`, made or migrated to this version's tables.

    Args:
        storage_path: the node's folder; without `database_url` it holds the ledger (SQLite).
        clock: seconds since 1970, for every row that is written.
        database_url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.

    Raises:
        StorageUnavailableError: it cannot be opened, or belongs to another storage folder.
    """
    engine = make_engine(database_url or f"sqlite:///{StorageLayout(storage_path).ledger}")
    ledger = Ledger(engine, clock, storage_path)
    try:
        with ledger.writing() as connection:
            migrate(connection)
            check_owner(connection, storage_path)
    except StorageUnavailableError:
        ledger.close()
        raise
    return ledger


def migrate(connection: Connection) -> None:
    """Bring the tables behind `connection` to this version."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _first_line(error: Exception) -> str:
    """The database's own words; SQLAlchemy adds statement and values, which are not for a log."""
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__
