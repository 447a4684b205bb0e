"""What the commands of this room have in common: options and how they end."""

import argparse
import sys
from collections.abc import Callable

from core.errors import SlicewireError


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


def spacing(text: str) -> tuple[float, float]:
    """Distances above 0 mm: between rows and between columns, or one for both."""
    values = tuple(float(part) for part in text.split(","))
    if len(values) > 2 or not all(0 < one < float("inf") for one in values):
        raise argparse.ArgumentTypeError(f"{text}: expected one or two distances above 0 mm")
    return values[0], values[-1]


def add_spacing_option(group: argparse._ActionsContainer) -> None:
    """`--pixel_spacing` of the commands that read arrays directly."""
    group.add_argument(
        "--pixel_spacing", type=spacing, default=None, metavar="MM[,MM]",
        help="distance between rows and between columns, or one number for both, of arrays that "
        "are read directly; without it, 1 mm is assumed",
    )  # fmt: skip


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
