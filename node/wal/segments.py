"""Segments of the write-ahead log: records of instances in one file, each durable by itself.

A file costs its creation, its sync and the sync of its name. A record that is appended to a segment
is synced once and answered; the file of each instance is made afterwards
(`node/wal/checkpointer.py`). Segments are read only after a crash; records contain their kind and
length. A segment may be written over an older one (`node/wal/recycled_segments.py`): records of
that are not valid under the new name.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.durable import sync_folder
from network.data_sets.file_bytes import Buffer

SUFFIX, KEPT_SUFFIX = ".log", ".kept"
"""Suffixes of a segment, and of one that is kept for a person to look at."""
_MAGIC, _END = b"SWR2", b"SWRE"
# magic, bytes of meta, bytes of content, CRC-32 of the segment's name, both lengths and the meta
_HEADER = struct.Struct("<4sLQL")
_TRAILER = struct.Struct("<4sL")  # end mark, the header's CRC-32; it is written last
_LENGTHS = struct.Struct("<LQ")
_LONGEST_META = 65_536
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One instance in a segment: the bytes of its DICOM file, and its rows of the ledger."""

    segment: Path
    offset: int
    """Where the DICOM file begins in the segment, in bytes."""
    size: int
    meta: Mapping[str, Any]

    def data_set_sha256(self, transfer_syntax_uid: str, file_meta_bytes: int) -> str:
        """SHA-256 of the bytes on disk, to compare with `StoredInstance.sha256`; raises OSError."""
        digest, left = hashlib.sha256(transfer_syntax_uid.encode()), self.size - file_meta_bytes
        with self.segment.open("rb") as file:
            file.seek(self.offset + file_meta_bytes)
            while left > 0 and (piece := file.read(min(left, _PIECE_BYTES))):
                digest.update(piece)
                left -= len(piece)
        return digest.hexdigest()


class Segment:
    """A segment that one thread writes."""

    def __init__(self, folder: Path, spare: Path | None = None) -> None:
        """Create the file, or rename `spare` to write over it; raises OSError."""
        self.path = folder / f"{uuid4().hex}{SUFFIX}"
        self.size = self.records = 0
        if spare is not None:
            with suppress(FileNotFoundError):
                spare.rename(self.path)
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666)
            sync_folder(folder)
        except OSError:
            self.path.unlink(missing_ok=True)
            raise

    def append(self, meta: Mapping[str, Any], file_meta: bytes, data_set: Buffer) -> Record:
        """Append a record and sync it; raises OSError and leaves the segment as it was."""
        words = json.dumps(meta, separators=(",", ":")).encode()
        size = len(file_meta) + len(data_set)
        checksum = _checksum(self.path, words, size)
        header = _HEADER.pack(_MAGIC, len(words), size, checksum) + words + file_meta
        offset = self.size + len(header) - len(file_meta)
        try:
            pieces = (header, data_set, _TRAILER.pack(_END, checksum))
            _write_at(self._descriptor, self.size, [memoryview(one) for one in pieces])
            os.fdatasync(self._descriptor)
        except OSError:
            self.cut(self.size)
            raise
        self.size = offset + size + _TRAILER.size
        self.records += 1
        return Record(self.path, offset, size, meta)

    def cut(self, size: int) -> None:
        """Discard everything after the first `size` bytes."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, size)
        self.size = size

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def records_of(segment: Path) -> Iterator[Record]:
    """Read the complete records of a segment up to its end or a damaged one; raises OSError."""
    with segment.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        position = 0
        while position + _HEADER.size <= end:
            file.seek(position)
            magic, words_bytes, size, checksum = _HEADER.unpack(file.read(_HEADER.size))
            offset = position + _HEADER.size + words_bytes
            after = offset + size + _TRAILER.size
            if magic != _MAGIC or words_bytes > _LONGEST_META or after > end:
                return
            words = file.read(words_bytes)
            file.seek(offset + size)
            trailer = _TRAILER.unpack(file.read(_TRAILER.size))
            if _checksum(segment, words, size) != checksum or trailer != (_END, checksum):
                return
            yield Record(segment, offset, size, json.loads(words))
            position = after


def _checksum(segment: Path, words: bytes, size: int) -> int:
    """CRC-32 of name, lengths and meta; records under a segment's older name do not match."""
    name = zlib.crc32(segment.stem.encode())
    return zlib.crc32(words, zlib.crc32(_LENGTHS.pack(len(words), size), name))


def _write_at(descriptor: int, position: int, pieces: list[memoryview]) -> None:
    while pieces:
        count = os.pwritev(descriptor, pieces, position)
        position += count
        while pieces and count >= len(pieces[0]):
            count -= len(pieces.pop(0))
        if pieces:
            pieces[0] = pieces[0][count:]
