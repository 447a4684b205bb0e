"""Ownership of a ledger: one database for one storage folder; another folder's is refused."""

import uuid
from pathlib import Path

from sqlalchemy import Connection, insert, select

from core.durable import sync_folder, write_synced
from core.errors import StorageUnavailableError
from core.storage_layout import StorageLayout
from node.ledger.node_tables import identity


def check_owner(connection: Connection, storage_path: Path) -> None:
    """Bind a new ledger to its storage folder, or check that they belong together.

    Raises:
        StorageUnavailableError: the ledger is of another folder, or the folder cannot be used.
    """
    ours = _storage_id(storage_path)
    if connection.scalar(select(identity.c.storage_id)) is None:
        connection.execute(insert(identity).values(storage_id=ours))
    check_is_ours(connection, storage_path)


def check_is_ours(connection: Connection, storage_path: Path) -> None:
    """Check that ledger and storage folder belong together; raises as `check_owner`."""
    theirs = connection.scalar(select(identity.c.storage_id))
    if theirs is None or not StorageLayout(storage_path).ledger_id.exists():
        return  # the next start of the node binds them
    ours = _storage_id(storage_path)
    if theirs != ours:
        raise StorageUnavailableError(
            f"The ledger belongs to storage folder {theirs[:8]}, and {storage_path} is folder "
            f"{ours[:8]}: expected a database of its own for each storage_path"
        )


def _storage_id(storage_path: Path) -> str:
    path = StorageLayout(storage_path).ledger_id
    try:
        if not path.exists():
            temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
            write_synced(temporary, uuid.uuid4().hex.encode())
            temporary.rename(path)
            sync_folder(storage_path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
