"""What the commands of this room have in common: how they end, and what a path must be."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from core.command_line import ArgumentParser
from core.config.values import parse_root_uid
from core.errors import ConfigurationError, SlicewireError, explain_fault
from core.log import quieten_libraries


def run_command(command: Callable[[], str]) -> int:
    """Print what `command` answers; the exit code: 0 done, 1 bad data or disk, 2 wrong flags."""
    quieten_libraries()
    try:
        say(command())
        return 0
    except ConfigurationError as error:
        complain(str(error))
        return 2
    except SlicewireError as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("interrupted, nothing is left of it")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{error.strerror or error}")
    except Exception as error:  # noqa: BLE001  # a library's own words could name a patient
        complain(explain_fault(error))
    return 1


def run_process(main: Callable[[], int]) -> NoReturn:
    """Leave the process with the exit code of `main`; a SIGTERM ends it as Ctrl-C does, tidily."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())


def _interrupt(_: int, __: object) -> NoReturn:
    raise KeyboardInterrupt


def conversion_parser(prog: str, description: str) -> ArgumentParser:
    """A parser on which `-h` is free for the HDF5 file: only `--help` tells about the command."""
    parser = ArgumentParser(
        prog=prog,
        description=description,
        epilog="Exit code: 0 done, 1 bad data or a full disk (nothing is left), 2 wrong flags.",
        add_help=False,
    )
    parser.add_argument("--help", action="help", help="show this and leave")
    return parser


def add_path(
    parser: ArgumentParser, flags: tuple[str, str], kind: Callable[[str], Path], **words: str
) -> None:
    """A path that must be given; `words` are its `metavar` and its `help`."""
    parser.add_argument(*flags, type=kind, required=True, default=argparse.SUPPRESS, **words)


def say(words: str) -> None:
    """One line on standard output."""
    Console(highlight=False, markup=False, soft_wrap=True).print(words)


def complain(words: str) -> None:
    """One line on standard error."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(words)


def existing_file(text: str) -> Path:
    """A path where a file lies."""
    return _checked(text, Path.is_file, "a file")


def existing_folder(text: str) -> Path:
    """A path where a folder lies."""
    return _checked(text, Path.is_dir, "a folder")


def existing(text: str) -> Path:
    """A path where a file or folder lies."""
    return _checked(text, Path.exists, "a file or folder")


def new_file(text: str) -> Path:
    """A path in a folder that exists, where no folder lies."""
    path = Path(text)
    if path.is_dir() or not path.name:
        raise argparse.ArgumentTypeError(f"expected a file to write, found the folder {text!r}")
    _check_parent(path)
    return path


def empty_folder(text: str) -> Path:
    """A path in a folder that exists, where nothing lies but perhaps an empty folder."""
    path = Path(text).absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise argparse.ArgumentTypeError(f"expected a new or empty folder, found {text!r} in use")
    _check_parent(path)
    return path


def root_uid(text: str) -> str:
    """A UID root with its last dot."""
    try:
        return parse_root_uid(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected {error}, found {text!r}") from error


def _checked(text: str, check: Callable[[Path], Any], what: str) -> Path:
    path = Path(text)
    if not check(path):
        raise argparse.ArgumentTypeError(f"expected {what}, found none at {text!r}")
    return path


def _check_parent(path: Path) -> None:
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected an existing folder, found no {path.parent}")
