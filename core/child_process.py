"""Processes of our own modules, `python -P -m MODULE`: they import what this process imports.

`-P` keeps the working folder off their path, so that nothing that lies there is taken for ours.
"""

import os
import sys
from pathlib import Path


def module_command(module: str, *arguments: str, warnings: bool = True) -> list[str]:
    """Command that runs `module` in this interpreter; `warnings` False keeps Python's silent."""
    silent = () if warnings else ("-W", "ignore")
    return [sys.executable, *silent, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """Environment of such a process: PYTHONPATH holds every folder that this process imports from.

    In an installation the rooms lie where Python does not look by itself.
    """
    folders = (folder or str(Path.cwd()) for folder in sys.path)
    return os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
