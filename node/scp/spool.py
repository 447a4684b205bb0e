"""Receive a data set: a small one into memory, a large one straight into a file."""

import hashlib
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.errors import StorageUnavailableError
from network.data_sets.file_bytes import DataSet, FileBytes

IN_MEMORY_BYTES = 1_000_000
_HEAD_BYTES = 1_000_000
_LOOKS_EVERY_BYTES = 32_000_000


class Spool:
    """Takes the fragments of one data set; its owner closes it."""

    def __init__(
        self,
        folder: Path,
        file_meta: bytes,
        transfer_syntax_uid: str,
        *,
        check_disk: Callable[[], None],
        in_memory_bytes: int = IN_MEMORY_BYTES,
    ) -> None:
        """Above `in_memory_bytes` the data set goes into a DICOM file in `folder`.

        `check_disk` raises StorageUnavailableError if the file may not be begun, or go on.
        """
        self.file_meta = file_meta
        self.size = 0
        """Bytes of the data set received so far."""
        self.path: Path | None = None
        """The file; None if the data set is in memory."""
        self._folder = folder
        self._in_memory_bytes = in_memory_bytes
        self._check_disk = check_disk
        self._hash = hashlib.sha256(transfer_syntax_uid.encode())
        self._memory = bytearray()
        self._descriptor = -1
        self._failure = ""
        self._looked_at = 0

    def write(self, fragment: memoryview) -> None:
        """Append a fragment; a failure of the disk is raised by `data_set`."""
        self._hash.update(fragment)
        self.size += len(fragment)
        if self._failure:
            return
        if self.path is None and self.size <= self._in_memory_bytes:
            self._memory += fragment
            return
        try:
            if self.path is None:
                self._begin_file()
            elif self.size - self._looked_at > _LOOKS_EVERY_BYTES:
                self._looked_at = self.size
                self._check_disk()
            write_all(self._descriptor, fragment)
        except StorageUnavailableError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"Storage failed: {error.strerror}")

    def sha256(self) -> str:
        """SHA-256 of transfer syntax and data set."""
        return self._hash.hexdigest()

    def data_set(self) -> DataSet:
        """The whole data set; one in a file is read as needed, until `close`.

        Raises:
            StorageUnavailableError: the file could not be written.
        """
        if self._failure:
            raise StorageUnavailableError(self._failure)
        if self.path is None:
            return memoryview(self._memory)
        return FileBytes(self._descriptor, len(self.file_meta), self.size)

    def head(self) -> bytes:
        """The first bytes of the data set, at most 1 MB; empty if they cannot be read."""
        if self.path is None or self._memory:  # a file may have failed before it had them
            return bytes(self._memory[:_HEAD_BYTES])
        with suppress(OSError):
            return os.pread(self._descriptor, _HEAD_BYTES, len(self.file_meta))
        return b""

    def close(self) -> None:
        """Remove the file, unless it was renamed."""
        descriptor, self._descriptor = self._descriptor, -1
        path, self.path = self.path, None
        if descriptor >= 0:
            with suppress(OSError):  # what is to be kept was synced before
                os.close(descriptor)
        if path is not None:
            with suppress(OSError):  # a disk that became read-only; the next start clears it
                path.unlink(missing_ok=True)

    def _begin_file(self) -> None:
        self._check_disk()
        path = self._folder / uuid.uuid4().hex
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self.path = path
        write_all(self._descriptor, memoryview(self.file_meta))
        write_all(self._descriptor, memoryview(self._memory))
        self._memory = bytearray()

    def _fail(self, words: str) -> None:
        """Discard the data set but for its head; further fragments are skipped."""
        head = self.head()
        self.close()
        self._failure, self._memory = words, bytearray(head)


def write_all(descriptor: int, content: memoryview) -> None:
    """Write all of `content`, whatever a single call takes; raises OSError."""
    while len(content):
        content = content[os.write(descriptor, content) :]
