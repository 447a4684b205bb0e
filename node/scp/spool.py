"""A data set while it comes in: small ones stay in memory, large ones go straight into a file."""

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
    """Takes the fragments of one data set; whoever made it closes it."""

    def __init__(
        self,
        folder: Path,
        file_meta: bytes,
        transfer_syntax_uid: str,
        *,
        check_disk: Callable[[], None],
        in_memory_bytes: int = IN_MEMORY_BYTES,
    ) -> None:
        """The file, where there is one, lies in `folder` and is a whole DICOM file at the end.

        `check_disk` raises StorageUnavailableError where no file may be begun, or go on.
        """
        self.file_meta = file_meta
        self.size = 0
        """Bytes of the data set so far."""
        self.path: Path | None = None
        """The file; None: it is in memory."""
        self._folder = folder
        self._in_memory_bytes = in_memory_bytes
        self._check_disk = check_disk
        self._hash = hashlib.sha256(transfer_syntax_uid.encode())
        self._memory = bytearray()
        self._descriptor = -1
        self._failure = ""
        self._looked_at = 0

    def write(self, fragment: memoryview) -> None:
        """Take a fragment; a disk that does not is told of at the end."""
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
        """Of the transfer syntax and the data set."""
        return self._hash.hexdigest()

    def data_set(self) -> DataSet:
        """All of it; that of a file is read where it is looked at, until `close`.

        Raises:
            StorageUnavailableError: the disk did not take it, or has it no more.
        """
        if self._failure:
            raise StorageUnavailableError(self._failure)
        if self.path is None:
            return memoryview(self._memory)
        return FileBytes(self._descriptor, len(self.file_meta), self.size)

    def head(self) -> bytes:
        """Its first bytes, as far as they are here."""
        if self.path is None:
            return bytes(self._memory[:_HEAD_BYTES])
        with suppress(OSError):
            return os.pread(self._descriptor, _HEAD_BYTES, len(self.file_meta))
        return b""

    def close(self) -> None:
        """The file goes, unless somebody has renamed it."""
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
        """What else comes is passed over; its head stays, for what is told of it."""
        head = self.head()
        self.close()
        self._failure, self._memory = words, bytearray(head)


def write_all(descriptor: int, content: memoryview) -> None:
    """All of it; raises OSError."""
    while len(content):
        content = content[os.write(descriptor, content) :]
