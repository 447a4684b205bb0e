"""Command and environment to run a module of this project in a process of its own.

`python -P` keeps the working folder off the import path, so that no file there is imported instead.
"""

import os
import sys
from pathlib import Path


def module_command(module: str, *arguments: str, warnings: bool = True) -> list[str]:
    """Build the command that runs `module` in this interpreter, with Python's warnings or not."""
    silent = () if warnings else ("-W", "ignore")
    return [sys.executable, *silent, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """Build the environment of such a process: PYTHONPATH has this process's import folders.

    An installed node has its packages in a folder that Python does not search by itself.
    """
    folders = (folder or str(Path.cwd()) for folder in sys.path)
    return os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
