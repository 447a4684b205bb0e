"""Lock of the storage folder: one node for each folder."""

import fcntl
import os
from pathlib import Path

from core.durable import make_folder
from core.errors import ConfigurationError
from core.storage_layout import StorageLayout


class StorageLock:
    """Lock of a node on its storage folder; the system releases it when the process ends."""

    def __init__(self, storage_path: Path) -> None:
        """Take the lock.

        Raises:
            ConfigurationError: another process holds it, or the folder cannot be written.
        """
        path = StorageLayout(storage_path).lock
        try:
            _make_storage(storage_path)
            self._file = path.open("a+")
        except OSError as error:
            raise ConfigurationError(
                f"--storage_path is {storage_path}, expected a folder that can be written "
                f"({error.strerror})"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise ConfigurationError(
                f"--storage_path is {storage_path}, which process {holder} already uses: "
                "expected a folder of its own for each node"
            ) from error
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let another node use the folder."""
        self._file.close()


def _make_storage(storage_path: Path) -> None:
    """Make the storage folder unless it exists; its name, and those above that are new, last."""
    there = next(one for one in storage_path.absolute().parents if one.is_dir())
    if not storage_path.is_dir():
        make_folder(storage_path.absolute(), below=there)


def holder_of(storage_path: Path) -> str:
    """Return the process id of the node that uses a storage folder; empty if none does."""
    path = StorageLayout(storage_path).lock
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text().strip() or "unknown"
    except OSError:
        return ""
    return ""
