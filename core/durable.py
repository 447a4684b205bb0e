"""Durable files and folders: complete on disk, or absent."""

import os
from pathlib import Path


def write_synced(path: Path, *pieces: bytes | memoryview) -> None:
    """Write `pieces` one behind the other to the new file `path` and sync it.

    Raises:
        OSError: the disk is full, read-only or gone.
    """
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Flush everything that was written to the file `path` to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames and new names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, below: Path) -> None:
    """Make `folder` and what is missing above it; every name up to the folder `below` is synced.

    Folders that exist already may have been made by another thread, or before a crash, without a
    sync of their names, so these are synced, too.

    Raises:
        OSError: the disk is full, read-only or gone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for parent in folder.parents:
        sync_folder(parent)
        if parent == below:
            return


def sync_tree(folder: Path) -> None:
    """Sync every file and folder below `folder`, and `folder` itself."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
    sync_folder(folder)


def commit_folder(attempt: Path, committed: Path) -> bool:
    """Sync the folder `attempt` and rename it to `committed`.

    Returns:
        False if `committed` exists already; `attempt` then stays where it is.
    """
    sync_tree(attempt)
    try:
        attempt.rename(committed)
    except OSError:
        if committed.is_dir():
            return False
        raise
    sync_folder(committed.parent)
    return True
