"""Types of the values on a model card, and their validation with pydantic."""

from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    with_config,
)

Card = TypeVar("Card")

Name = Annotated[str, Strict(), Field(max_length=16)]
Words = Annotated[str, Strict(), Field(max_length=64)]
Fingerprint = Annotated[str, Strict(), Field(max_length=128)]
Remark = Annotated[str, Strict(), Field(max_length=256)]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]


def _rises(pair: tuple[float, float]) -> tuple[float, float]:
    low, high = pair
    if not low < high:
        raise ValueError(f"{low} to {high}, expected a range that rises")
    return pair


Rising = AfterValidator(_rises)
no_more_values = with_config(ConfigDict(extra="forbid"))
"""Decorator for dataclasses: values in a file that are no field are an error."""


def parse_card(kind: type[Card], values: Any) -> Card:
    """Build a card of the dataclass `kind` from plain `values`; lists become tuples.

    Raises:
        ValueError: a value is missing, unknown or wrong; the message names it.
    """
    if not isinstance(values, dict):
        raise ValueError("'card' is not a set of named values")
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from error


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    *parents, name = map(str, first["loc"]) if first["loc"] else ("card",)
    where = ".".join(parents) or "card"
    if first["type"] == "missing":
        return f"'{where}' lacks {name}"
    if first["type"] == "unexpected_keyword_argument":
        return f"'{where}' has unknown {name}"
    message = first["msg"].removeprefix("Value error, ")
    place = ".".join([*parents, name])
    if first["type"] == "value_error":
        return f"'{place}' is {message}" if first["loc"] else message
    expected = message.removeprefix("Input should be ")
    if expected == message:
        return f"'{place}': {message}"
    return f"'{place}' is {first['input']!r}, expected {expected}"
