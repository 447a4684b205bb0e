"""Options and exit codes shared by the commands train, evaluate and prepare."""

import argparse
import sys
from collections.abc import Callable

from core.errors import SlicewireError


def numbers(text: str) -> tuple[int, ...]:
    """Parse whole numbers above 0, separated by commas, such as `12,24,48`."""
    values = tuple(int(part) for part in text.split(","))
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected numbers above 0")
    return values


def above_zero(text: str) -> int:
    """Parse one whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return value


def spacing(text: str) -> tuple[float, float]:
    """Parse one or two distances above 0 mm: between rows, then between columns."""
    values = tuple(float(part) for part in text.split(","))
    if len(values) > 2 or not all(0 < one < float("inf") for one in values):
        raise argparse.ArgumentTypeError(f"{text}: expected one or two distances above 0 mm")
    return values[0], values[-1]


def add_spacing_option(group: argparse._ActionsContainer) -> None:
    """Add `--pixel_spacing` to a command that reads folders of arrays directly."""
    group.add_argument(
        "--pixel_spacing", type=spacing, default=None, metavar="MM[,MM]",
        help="pixel spacing of a folder of arrays: distance between rows and between columns, or "
        "one number for both (default: 1 mm is assumed)",
    )  # fmt: skip


def names(text: str) -> tuple[str, ...]:
    """Parse names separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def run(command: Callable[[], int]) -> int:
    """Run `command` and return its exit code, or 2 with a message on wrong input."""
    try:
        return command()
    except SlicewireError as error:
        sys.stderr.write(f"{error}\n")
        return 2
