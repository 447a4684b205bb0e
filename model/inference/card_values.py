"""Checks of the plain values that a checkpoint's card is read from."""

from collections.abc import Callable, Sequence
from typing import Any

_MAX_LEVELS = 8
_MAX_WIDTH = 2048
_MAX_NAME = 16
_INTENDED_USES = ("demonstration", "clinical")
_VIEWS = (1, 2, 4, 8)

Check = Callable[[Any], Any]


def parse_card_values(card: Any) -> dict[str, Any]:
    """The values of `card` with lists as tuples, each of the type that the card's fields have.

    Raises:
        ValueError: a value is missing, unknown or wrong; the message names it.
    """
    values = _fields(_filled(card), "card", _CARD)
    if len(values["finishing"]) != len(values["structures"]):
        raise ValueError("'finishing' does not have one entry for each of 'structures'")
    names = [structure["name"] for structure in values["structures"]]
    if len(set(names)) != len(names):
        raise ValueError("two of 'structures' have the same name")
    if not set(values["measured_dice"]) <= set(names):
        raise ValueError("'measured_dice' names a structure that the model does not have")
    return values


def _filled(card: Any) -> Any:
    """With what files written by earlier versions do not have."""
    return {"training_patients": ()} | card if isinstance(card, dict) else card


def _fields(value: Any, where: str, checks: dict[str, Check]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"'{where}' is not a set of named values")
    missing, unknown = checks.keys() - value.keys(), value.keys() - checks.keys()
    if missing or unknown:
        names = ", ".join(sorted(str(name) for name in missing or unknown))
        raise ValueError(f"'{where}' {'lacks' if missing else 'has unknown'} {names}")
    parsed = {}
    for name, check in checks.items():
        try:
            parsed[name] = check(value[name])
        except (TypeError, ValueError) as error:
            raise ValueError(f"'{name}' {error}") from error
    return parsed


def _text(longest: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest:
            raise ValueError(f"is not text of at most {longest} characters")
        return value

    return check


def _one_of(allowed: Sequence[Any]) -> Check:
    def check(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"is {value!r}, expected one of {', '.join(map(str, allowed))}")
        return value

    return check


def _number(lowest: float, highest: float) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("is not a number")
        if not lowest <= value <= highest:
            raise ValueError(f"is {value}, expected {lowest} to {highest}")
        return value

    return check


def _whole(lowest: int, highest: int) -> Check:
    number = _number(lowest, highest)

    def check(value: Any) -> int:
        if not isinstance(value, int):
            raise ValueError("is not a whole number")
        return int(number(value))

    return check


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is not true or false")
    return value


def _several(each: Check, fewest: int, most: int) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not fewest <= len(value) <= most:
            raise ValueError(f"is not a list of {fewest} to {most} values")
        return tuple(each(one) for one in value)

    return check


def _rising(each: Check) -> Check:
    pair = _several(each, 2, 2)

    def check(value: Any) -> tuple[Any, ...]:
        low, high = pair(value)
        if not low < high:
            raise ValueError(f"is {low} to {high}, expected a range that rises")
        return low, high

    return check


def _named(where: str, checks: dict[str, Check]) -> Check:
    return lambda value: _fields(value, where, checks)


def _scores(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError("is not a set of named numbers")
    return {_text(_MAX_NAME)(name): _number(0.0, 1.0)(score) for name, score in value.items()}


_STRUCTURE: dict[str, Check] = {
    "name": _text(_MAX_NAME),
    "color_rgb": _several(_whole(0, 255), 3, 3),
    "interpreted_type": _text(_MAX_NAME),
}
_FINISHING: dict[str, Check] = {
    "threshold": _number(0.0, 1.0),
    "largest_component": _flag,
    "fill_holes": _flag,
    "without": _several(_text(_MAX_NAME), 0, 256),
}
_CARD: dict[str, Check] = {
    "name": _text(64),
    "version": _text(64),
    "intended_use": _one_of(_INTENDED_USES),
    "structures": _several(_named("structure", _STRUCTURE), 1, 256),
    "finishing": _several(_named("finishing", _FINISHING), 1, 256),
    "encoder_widths": _several(_whole(1, _MAX_WIDTH), 2, _MAX_LEVELS),
    "working_spacing_mm": _number(0.05, 20.0),
    "percentiles": _rising(_number(0.0, 100.0)),
    "modalities": _several(_text(16), 1, 16),
    "pixel_spacing_range_mm": _rising(_number(0.01, 100.0)),
    "views": _one_of(_VIEWS),
    "training_fingerprint": _text(128),
    "training_instances": _whole(0, 10**9),
    "training_patients": _several(_text(64), 0, 10**6),
    "measured_dice": _scores,
    "measured_on": _text(256),
}
