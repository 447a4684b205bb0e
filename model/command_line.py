"""What the commands of this room have in common: options and how they end."""

import argparse
import sys
from collections.abc import Callable, Sequence

from core.errors import SlicewireError


def with_underscores(arguments: Sequence[str]) -> list[str]:
    """`arguments` with `--batch-size` written as `--batch_size`; values stay as they are."""
    return [_underscored(one) if one.startswith("--") else one for one in arguments]


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers above 0 between commas, such as `12,24,48`."""
    values = tuple(int(part) for part in text.split(","))
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected numbers above 0")
    return values


def above_zero(text: str) -> int:
    """One whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return value


def names(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def run(command: Callable[[], int]) -> int:
    """The exit code of `command`; 2 and one sentence when its input is wrong."""
    try:
        return command()
    except SlicewireError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _underscored(option: str) -> str:
    name, equals, value = option.partition("=")
    return f"--{name[2:].replace('-', '_')}{equals}{value}"
