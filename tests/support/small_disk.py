"""A file system of its own that can be filled: a small tmpfs, where mounting is possible."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.missing import unavailable


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """`folder` as a file system of `size`; without the right to mount the test is skipped."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        unavailable("mount is not installed")
    if done.returncode:
        unavailable(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def make_read_only(disk: Path) -> None:
    """Nothing can be written to `disk`, by root either; no file on it may be open for writing."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def make_writable(disk: Path) -> None:
    """As it was before `make_read_only`."""
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def fill(folder: Path, leaving: int = 0) -> Path:
    """Fill the file system until only about `leaving` bytes are left; answers the filling file."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leaving))
    return filling
