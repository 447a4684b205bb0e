"""Limits of the machine for any receiver: loopback, files, fsync."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

_LOOPBACK_BYTES = 1 << 30
_SEND_BYTES = 1 << 18
_FILES = 200


def measure_limits(folder: Path) -> dict[str, float]:
    """Measure in `folder`, on the disk that receivers write to; figures by name with unit."""
    folder.mkdir(parents=True, exist_ok=True)
    large, small = bytes(525_000), bytes(37_000)
    return {
        "loopback, MB/s": _loopback_mb_per_s(),
        "files of 525 KB, 1/s": _per_second(folder, large, _plainly),
        "files of 525 KB with fsync, 1/s": _per_second(folder, large, _synced),
        "files of 37 KB, 1/s": _per_second(folder, small, _plainly),
        "files of 37 KB with fsync, 1/s": _per_second(folder, small, _synced),
        "525 KB appended with fsync, 1/s": _appended(folder, large),
        "37 KB appended with fsync, 1/s": _appended(folder, small),
    }


def _loopback_mb_per_s() -> float:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = threading.Thread(target=_read_all, args=(listener,))
        reader.start()
        with socket.create_connection(listener.getsockname()) as connection:
            content, begun = bytes(_SEND_BYTES), time.perf_counter()
            for _ in range(_LOOPBACK_BYTES // _SEND_BYTES):
                connection.sendall(content)
        reader.join()
        return _LOOPBACK_BYTES / 1e6 / (time.perf_counter() - begun)


def _read_all(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    buffer = bytearray(_SEND_BYTES)
    with connection:
        while connection.recv_into(buffer):
            pass


def _per_second(folder: Path, content: bytes, write: Callable[[Path, bytes], None]) -> float:
    begun = time.perf_counter()
    for number in range(_FILES):
        write(folder / f"{number}.dcm", content)
    seconds = time.perf_counter() - begun
    for path in folder.iterdir():
        path.unlink()
    return _FILES / seconds


def _plainly(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _synced(path: Path, content: bytes) -> None:
    """Write, sync and rename, so that the file is complete or missing."""
    beside = path.with_suffix(".part")
    with beside.open("wb", buffering=0) as file:
        file.write(content)
        os.fsync(file.fileno())
    beside.rename(path)


def _appended(folder: Path, content: bytes) -> float:
    begun = time.perf_counter()
    with (folder / "log").open("wb", buffering=0) as file:
        for _ in range(_FILES):
            file.write(content)
            os.fdatasync(file.fileno())
    seconds = time.perf_counter() - begun
    (folder / "log").unlink()
    return _FILES / seconds
