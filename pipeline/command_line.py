"""Exit codes, messages and path arguments shared by the conversion commands."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from core.command_line import ArgumentParser
from core.config.values import parse_root_uid
from core.console import plain_console
from core.errors import ConfigurationError, SlicewireError, explain_fault
from core.log import quieten_libraries


def run_command(command: Callable[[], str]) -> int:
    """Run `command`, print its result or error, and return the exit code.

    Returns:
        0 if done, 1 on bad data or a failing disk, 2 on wrong flags.
    """
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
        complain("interrupted, nothing was written")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{error.strerror or error}")
    except Exception as error:  # noqa: BLE001  # a library's message could name a patient
        complain(explain_fault(error))
    return 1


def run_process(main: Callable[[], int]) -> NoReturn:
    """Run `main` and exit with its code; SIGTERM, like Ctrl-C, removes unfinished files."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())


def _interrupt(_: int, __: object) -> NoReturn:
    raise KeyboardInterrupt


def conversion_parser(prog: str, description: str) -> ArgumentParser:
    """Parser without `-h` for help, which is the flag of the HDF5 file; `--help` remains."""
    parser = ArgumentParser(
        prog=prog,
        description=description,
        epilog="Exit code: 0 done, 1 bad data or a full disk (nothing is written), 2 wrong flags.",
        add_help=False,
    )
    parser.add_argument("--help", action="help", help="show this help message and exit")
    return parser


def add_path(
    parser: ArgumentParser, flags: tuple[str, str], kind: Callable[[str], Path], **words: str
) -> None:
    """Add a required path; `words` are its `metavar` and `help`."""
    parser.add_argument(*flags, type=kind, required=True, default=argparse.SUPPRESS, **words)


def say(words: str) -> None:
    """Print one line on standard output."""
    plain_console().print(words)


def complain(words: str) -> None:
    """Print one line on standard error."""
    plain_console(stderr=True).print(words)


def existing_file(text: str) -> Path:
    """Parse the path of an existing file."""
    return _checked(text, Path.is_file, "a file")


def existing_folder(text: str) -> Path:
    """Parse the path of an existing folder."""
    return _checked(text, Path.is_dir, "a folder")


def existing(text: str) -> Path:
    """Parse the path of an existing file or folder."""
    return _checked(text, Path.exists, "a file or folder")


def new_file(text: str) -> Path:
    """Parse the path of a file to write, in an existing folder."""
    path = Path(text)
    if path.is_dir() or not path.name:
        raise argparse.ArgumentTypeError(f"expected a file to write, found the folder {text!r}")
    _check_parent(path)
    return path


def empty_folder(text: str) -> Path:
    """Parse the path of a new or empty folder, in an existing one."""
    path = Path(text).absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise argparse.ArgumentTypeError(f"expected a new or empty folder, found {text!r} in use")
    _check_parent(path)
    return path


def root_uid(text: str) -> str:
    """Parse a UID root; the result ends with a dot."""
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
