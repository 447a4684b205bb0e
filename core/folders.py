"""Folders named by users: only below a root folder, and only the regular files in them."""

import os
from pathlib import Path

from core.errors import RequestedJobError

_LONGEST_NAME = 1024


def folder_below(root: Path, name: str) -> Path:
    """Find the folder `name`, relative to `root` or absolute below it; links are resolved.

    Missing folders and folders outside `root` give the same message, so that nobody learns which
    folders exist elsewhere.

    Raises:
        RequestedJobError: `name` is not a folder below `root`.
    """
    requested = Path(name)
    if not name or len(name) > _LONGEST_NAME or "\0" in name or ".." in requested.parts:
        raise RequestedJobError("in_dir: expected the name of a folder, without ..")
    try:
        whole = root.resolve(strict=True)
        folder = (whole / requested).resolve(strict=True)
    except (OSError, RuntimeError):  # not there, no access, a loop of links
        folder = Path("/")
    if folder == whole or whole not in folder.parents or not folder.is_dir():
        raise RequestedJobError("in_dir: expected an existing folder below web.in_dir_root")
    return folder


def files_below(folder: Path, *, most: int) -> list[Path]:
    """List every regular file below `folder` by name; symbolic links are not followed.

    Raises:
        RequestedJobError: there are more than `most` files.
    """
    found: list[Path] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        paths = (Path(place, name) for name in sorted(names))
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
        if len(found) > most:
            raise RequestedJobError(f"the folder holds more than {most} files")
    return found
