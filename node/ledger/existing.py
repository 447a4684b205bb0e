"""A ledger as it is, for commands that look at it or ask the node: nothing is made or migrated."""

import time
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from core.errors import StorageUnavailableError
from core.storage_layout import StorageLayout
from node.ledger.database import Ledger, check_version, newest_schema
from node.ledger.dialects import make_engine
from node.ledger.ownership import check_is_ours


def open_existing_ledger(storage_path: Path, *, database_url: str | None = None) -> Ledger:
    """Open the ledger of `storage_path` without a change to it; arguments as of `open_ledger`.

    Raises:
        StorageUnavailableError: there is no ledger, it is of another storage folder, or of an
            earlier or later version.
    """
    file = StorageLayout(storage_path).ledger
    if database_url is None and not file.exists():
        raise StorageUnavailableError(
            f"--storage_path is {storage_path}, expected a node's: no ledger"
        )
    ledger = Ledger(make_engine(database_url or f"sqlite:///{file}"), time.time, storage_path)
    try:
        with ledger.reading() as connection:
            check_version(connection)
            words = migration_words(connection)
            if words:
                raise StorageUnavailableError(f"{words}: nothing was changed")
            check_is_ours(connection, storage_path)
    except StorageUnavailableError:
        ledger.close()
        raise
    return ledger


def migration_words(connection: Connection) -> str:
    """Say that the next start of the node will migrate a ledger; empty if it will not."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found == newest_schema():
        return ""
    has = f"schema {found} of an earlier version of Slicewire" if found else "no tables yet"
    return f"The ledger has {has}; the next start of the node makes it schema {newest_schema()}"
