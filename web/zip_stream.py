"""ZIP files that are made while they are sent: no copy on disk, no whole file in memory."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

_CHUNK_BYTES = 1 << 20


class _ChunkBuffer(io.RawIOBase):
    """Holds what was written since the last `take`; cannot seek."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # any buffer
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def zip_of(folder: Path, paths: Sequence[Path]) -> Iterator[bytes]:
    """Yield a ZIP file of `paths`, named relative to `folder`, in chunks and uncompressed."""
    buffer = _ChunkBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            info = zipfile.ZipInfo(str(path.relative_to(folder)))
            with archive.open(info, "w", force_zip64=True) as entry, path.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    entry.write(chunk)
                    yield buffer.take()
            yield buffer.take()
    yield buffer.take()
