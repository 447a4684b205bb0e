"""Options and exit codes shared by the commands train, evaluate and prepare."""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

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


def option(
    default: Any, words: str, *, read: Callable[[str], Any], metavar: str, name: str = ""
) -> Any:
    """Field of a dataclass that is also a command-line option, called `name` or as the field."""
    metadata = {"name": name, "help": words, "type": read, "metavar": metavar}
    return dataclasses.field(default=default, metadata=metadata)


def options_of(settings: type) -> dict[str, dataclasses.Field[Any]]:
    """Fields of the dataclass `settings` that are options, by the names of the options."""
    fields = dataclasses.fields(settings)
    return {one.metadata["name"] or one.name: one for one in fields if "name" in one.metadata}


def add_options_of(group: argparse._ActionsContainer, settings: type) -> None:
    """Add the options of the dataclass `settings` to a command."""
    for name, field in options_of(settings).items():
        given = {key: field.metadata[key] for key in ("help", "type", "metavar")}
        group.add_argument(f"--{name}", default=field.default, **given)


def values_of(options: argparse.Namespace, settings: type) -> dict[str, Any]:
    """Values of the options of the dataclass `settings`, by its fields."""
    return {field.name: getattr(options, name) for name, field in options_of(settings).items()}


def run(command: Callable[[], int]) -> int:
    """Run `command` and return its exit code, or 2 with a message on wrong input."""
    try:
        return command()
    except SlicewireError as error:
        sys.stderr.write(f"{error}\n")
        return 2
