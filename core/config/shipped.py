"""`slicewire init`: writes the shipped config.yaml, with every key and a comment, to a new file."""

import sys
from collections.abc import Sequence
from pathlib import Path

from core.command_line import ArgumentParser
from core.errors import ConfigurationError
from core.private_files import keep_files_private

SHIPPED_CONFIG = Path(__file__).parents[2] / "config.yaml"


def main(argv: Sequence[str] | None = None, *, prog: str = "slicewire init") -> int:
    """Run the command and return its exit code; its --help calls it `prog`."""
    keep_files_private()
    try:
        path: Path = _parser(prog).parse_args(argv).path
        write_shipped_config(path)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Wrote {path}; check it with slicewire check, start with slicewire node\n")
    return 0


def write_shipped_config(path: Path) -> None:
    """Copy the shipped configuration, comments included, to `path`.

    Raises:
        ConfigurationError: `path` exists already, or cannot be written.
    """
    content = SHIPPED_CONFIG.read_bytes()
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise ConfigurationError(f"{path}: exists already, nothing was written") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror})") from error


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog=prog,
        description="Write a config.yaml with every key, its default and a comment. Exit code: 0 "
        "written, 2 the file exists already or cannot be written.",
    )
    parser.add_argument(
        "path", nargs="?", type=Path, default=Path("config.yaml"), metavar="FILE", help="new file"
    )
    return parser
