"""Folders that somebody names from outside: below a root only, and only real files in them."""

import os
from pathlib import Path

from core.errors import RequestedJobError

_LONGEST_NAME = 1024


def folder_below(root: Path, name: str) -> Path:
    """The folder `name`, relative to `root` or absolute below it, with links resolved.

    What does not exist and what lies elsewhere is refused in the same words, so that nobody learns
    of folders elsewhere.

    Raises:
        OrderError: it is no folder below the root.
    """
    asked = Path(name)
    if not name or len(name) > _LONGEST_NAME or "\0" in name or ".." in asked.parts:
        raise RequestedJobError("in_dir: expected the name of a folder, without ..")
    try:
        whole = root.resolve(strict=True)
        folder = (whole / asked).resolve(strict=True)
    except (OSError, RuntimeError):  # not there, no access, a loop of links
        folder = Path("/")
    if folder == whole or whole not in folder.parents or not folder.is_dir():
        raise RequestedJobError("in_dir: expected an existing folder below web.in_dir_root")
    return folder


def files_below(folder: Path, *, most: int) -> list[Path]:
    """Every regular file below `folder`, in order of names; links are not followed.

    Raises:
        OrderError: there are more than `most`.
    """
    found: list[Path] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        paths = (Path(place, name) for name in sorted(names))
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
        if len(found) > most:
            raise RequestedJobError(f"the folder holds more than {most} files")
    return found
