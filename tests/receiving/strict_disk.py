"""A disk that keeps after a power cut what POSIX demands, and nothing else.

A file has the bytes of its last sync, and a name exists if its folder was synced since; names that
were removed are gone at once, whether their folder was synced or not.
"""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from core.storage_layout import StorageLayout
from tests.receiving.logged import Place, instance_store_of
from tests.support.databases import open_test_ledger

Names = dict[str, tuple[int, bool]]
"""Names in a folder, each with its inode and whether it is a folder."""


class StrictDisk:
    """Everything below `mount` that was synced since."""

    def __init__(self, mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mount = mount
        self._names: dict[int, Names] = {}
        self._contents: dict[int, bytes] = {}
        self._held: list[int] = []  # so that no inode is used twice
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._noting(getattr(os, name)))

    def _noting(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def note(descriptor: int) -> None:
            sync(descriptor)
            self._held.append(os.dup(descriptor))
            about, path = os.fstat(descriptor), Path(f"/proc/self/fd/{descriptor}")
            if stat.S_ISDIR(about.st_mode):
                self._names[about.st_ino] = _names_in(path)
            else:
                self._contents[about.st_ino] = path.read_bytes()

        return note

    def cut_power(self, to: Path) -> Path:
        """Make `to` what is below the mount point after a power cut."""
        self._restore(self.mount, to)
        return to

    def _restore(self, path: Path, to: Path) -> None:
        to.mkdir()
        synced = self._names.get(path.stat().st_ino, {})
        for name, (inode, is_folder) in synced.items() & _names_in(path).items():
            if is_folder:
                self._restore(path / name, to / name)
            elif inode in self._contents:
                (to / name).write_bytes(self._contents[inode])

    def close(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)


def _names_in(folder: Path) -> Names:
    with os.scandir(folder) as found:
        return {one.name: (one.inode(), one.is_dir()) for one in found}


def started_after_power_cut(disk: StrictDisk, place: Place, to: Path) -> Place:
    """The storage folder after a power cut, with its ledger, and logs read as at a start."""
    folder = disk.cut_power(to) / place.folder.relative_to(disk.mount)
    ledger_file = StorageLayout(place.folder).ledger
    place.ledger.close()
    if ledger_file.exists():
        shutil.copyfile(ledger_file, StorageLayout(folder).ledger)
    ledger = open_test_ledger(place.folder)
    ledger.storage_path = folder
    again = Place(folder, ledger, place.association, instance_store_of(folder, ledger))
    again.instance_store.wal_writer.recover()
    again.settled()
    return again
