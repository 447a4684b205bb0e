"""The ledger's database: opened, migrated, and used in transactions."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import alembic.command
import alembic.config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, PoolProxiedConnection, update
from sqlalchemy.exc import SQLAlchemyError

from core.errors import DatabaseAbsentError, LaterLedgerError, StorageUnavailableError
from core.storage_layout import StorageLayout
from node.ledger.dialects import LOGGED, READING, WRITING, begin, make_engine, without_limits
from node.ledger.node_tables import identity
from node.ledger.ownership import check_owner
from node.ledger.postgresql import is_absent

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
        # SQLite's own lock makes writers sleep ever longer; this lock wakes the next one at once.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._logged_connection: Connection | None = None
        self._watching: PoolProxiedConnection | None = None
        self._is_closed = False

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write, one at a time; at its end it is committed and durable.

        Raises:
            StorageUnavailableError: the database cannot be read or written.
        """
        with self._transaction(WRITING) as connection:
            yield connection

    @contextmanager
    def logged(self) -> Iterator[Connection]:
        """Open a transaction as `writing` does, for rows that a synced log has too.

        A power cut may lose it, until a later transaction of `writing` ends; a crash of the node
        does not.

        Raises:
            StorageUnavailableError: the database cannot be read or written.
        """
        with self._transaction(LOGGED) as connection:
            yield connection

    def sync(self) -> None:
        """Make everything that `logged` has committed so far durable.

        Raises:
            StorageUnavailableError: the database cannot be written.
        """
        with self.writing() as connection:  # a commit that writes nothing syncs nothing
            connection.execute(update(identity).values(storage_id=identity.c.storage_id))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one consistent state of the ledger.

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
            raise _failure(error) from error

    @contextmanager
    def _connection(self, purpose: str) -> Iterator[Connection]:
        """Yield a connection; on SQLite `logged` keeps one, as opening it takes longer."""
        if self._turn is None or purpose != LOGGED or self._is_closed:
            with self._engine.connect() as connection:
                yield connection
            return
        if self._logged_connection is None:
            self._logged_connection = self._engine.connect()
        try:
            yield self._logged_connection
        except BaseException:
            self._drop_logged_connection()
            raise

    def _drop_logged_connection(self) -> None:
        kept, self._logged_connection = self._logged_connection, None
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
        """Return a value that changes whenever any process commits to the database.

        For one thread only: SQLite counts per connection, so one connection is kept for this.

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
            raise _failure(error) from error

    def close(self) -> None:
        """Close every connection, after the last write."""
        with suppress(StorageUnavailableError), self._turn_of(LOGGED):
            self._is_closed = True
            self._drop_logged_connection()
        if self._watching is not None:
            self._watching.close()
        self._engine.dispose()


def open_ledger(
    storage_path: Path,
    clock: Callable[[], float] = time.time,
    *,
    database_url: str | None = None,
) -> Ledger:
    """Open the ledger of `storage_path`; create or migrate its tables to this version.

    Args:
        storage_path: the node's folder; without `database_url` it holds the ledger (SQLite).
        clock: seconds since 1970, for every row that is written.
        database_url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.

    Raises:
        DatabaseAbsentError: no server of its database answers.
        StorageUnavailableError: the ledger cannot be opened, is of another storage folder, or was
            migrated by a later version.
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
    """Migrate the tables of the database to this version; raises as `check_version`."""
    check_version(connection)
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    with without_limits(connection):
        alembic.command.upgrade(config, "head")


def newest_schema() -> str:
    """Return the schema of this version, the number of the newest migration."""
    return str(ScriptDirectory(str(_MIGRATIONS)).get_current_head())


def check_version(connection: Connection) -> None:
    """Check that this version knows the ledger's tables.

    Raises:
        LaterLedgerError: a later version has migrated the ledger.
    """
    known = {one.revision for one in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
    later = set(MigrationContext.configure(connection).get_current_heads()) - known
    if later:
        raise LaterLedgerError(
            f"The ledger has schema {min(later)} of a later version of Slicewire; "
            f"this version knows schemas up to {max(known)}"
        )


def _failure(error: Exception) -> StorageUnavailableError:
    kind = DatabaseAbsentError if is_absent(error) else StorageUnavailableError
    return kind(f"The ledger failed: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    """Return the database's own message; SQLAlchemy adds values, which must not be logged."""
    original = getattr(error, "orig", None) or error
    return str(original).splitlines()[0] if str(original) else type(original).__name__
