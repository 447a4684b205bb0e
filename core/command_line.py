"""Command-line parser: flags with hyphens or underscores, errors as one sentence."""

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from core.ae_titles import parse_ae_title
from core.errors import ConfigurationError


class ArgumentParser(argparse.ArgumentParser):
    """Parser of flags declared with underscores (`--scu_ip`), which may be typed with hyphens.

    Errors raise ConfigurationError; the program prints it and exits with code 2.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter, **options
        )

    def parse_args(  # type: ignore[override]  # no namespace to fill
        self, argv: Sequence[str] | None = None
    ) -> argparse.Namespace:
        """Parse `argv`, or the process's own command line when `argv` is None.

        Raises:
            ConfigurationError: one sentence that names the flag, its value and what was expected.
        """
        values, unknown = self.parse_known_args(argv)
        if unknown:
            raise ConfigurationError(self._why_unknown(unknown[0]))
        return values

    def error(self, message: str) -> NoReturn:
        """Raise ConfigurationError instead of leaving the process; called by argparse."""
        message = re.sub(r"^argument ([^:]+):", lambda found: f"{found[1]}:", message)
        message = message.replace("the following arguments are required", "missing")
        raise ConfigurationError(message)

    def _parse_optional(self, arg_string: str) -> Any:
        # argparse asks this of each word that may be a flag, and never of a flag's value
        return super()._parse_optional(with_underscores(arg_string))

    def _why_unknown(self, word: str) -> str:
        name = word.split("=", maxsplit=1)[0]
        if not name.startswith("-"):
            return f"{name}: expected no further value, see --help"
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        near = get_close_matches(with_underscores(name), flags, n=1)
        expected = near[0] if near else "one of " + ", ".join(flags)
        return f"{name}: no such flag, expected {expected}"


def with_underscores(word: str) -> str:
    """Replace hyphens in a flag's name by underscores; values and other words stay unchanged."""
    if not word.startswith("--"):
        return word
    name, equals, value = word[2:].partition("=")
    return f"--{name.replace('-', '_')}{equals}{value}"


def port(text: str) -> int:
    """Parse a TCP port to connect to, 1 to 65535."""
    return _whole_number(text, 1, 65535)


def listen_port(text: str) -> int:
    """Parse a TCP port to listen on, 0 (any free port) to 65535."""
    return _whole_number(text, 0, 65535)


def ae_title(text: str) -> str:
    """Parse an application entity title."""
    try:
        return parse_ae_title(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected {error}, found {text!r}") from error


def seconds(text: str) -> float:
    """Parse a time in seconds, above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text!r}")
    return value


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, found {text!r}")
    return value


def _whole_number(text: str, lowest: int, highest: int) -> int:
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from {lowest} to {highest}, found {text!r}"
        )
    return int(text)
