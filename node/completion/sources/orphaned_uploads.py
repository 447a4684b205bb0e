"""Uploads that were cut off by the end of the process that received them."""

import shutil
from pathlib import Path

from core.storage_layout import StorageLayout
from node.ledger.database import Ledger
from node.ledger.requests.requested_jobs import waiting_uids


def remove_orphaned_uploads(storage_path: Path, ledger: Ledger) -> None:
    """Remove uploads without a requested job; only while no upload is being received.

    That is at the start of the node, and of the web process, which alone receives them.

    Raises:
        StorageUnavailableError: the ledger cannot be read.
    """
    folders = list(StorageLayout(storage_path).uploads.glob("*"))
    if not folders:
        return
    with ledger.reading() as connection:
        waiting = waiting_uids(connection)
    for folder in folders:
        if folder.name not in waiting:
            shutil.rmtree(folder, ignore_errors=True)
