"""One database behind the ledger: opened, migrated, and used in whole transactions."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.command
import alembic.config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StorageUnavailableError

LEDGER_FILE = "ledger.sqlite"
_MIGRATIONS = Path(__file__).parent.parent / "migrations"
_BUSY_TIMEOUT_S = 30


class Ledger:
    """Transactions on the ledger of one storage folder, and the clock that stamps its rows."""

    def __init__(self, engine: Engine, clock: Callable[[], float], storage_path: Path) -> None:
        self._engine = engine
        self.clock = clock
        self.storage_path = storage_path

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end of the block, durable after it.

        Raises:
            StorageUnavailableError: the database cannot be read or written.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger.

        Raises:
            StorageUnavailableError: the database cannot be read.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        try:
            connecting = self._engine.connect().execution_options(begin=begin)
            with connecting as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StorageUnavailableError(f"The ledger failed: {_first_line(error)}") from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_ledger(storage_path: Path, clock: Callable[[], float] = time.time) -> Ledger:
    """The ledger of `storage_path`, made or migrated to this version's tables.

    Raises:
        StorageUnavailableError: it cannot be opened.
    """
    engine = create_engine(
        f"sqlite:///{storage_path / LEDGER_FILE}", connect_args={"timeout": _BUSY_TIMEOUT_S}
    )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    ledger = Ledger(engine, clock, storage_path)
    with ledger.writing() as connection:
        migrate(connection)
    return ledger


def migrate(connection: Connection) -> None:
    """Bring the tables behind `connection` to this version."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin below, not where sqlite3 guesses
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
