"""Conversion of functional group values to attributes of single-frame instances."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds


def copy_attributes(data_set: Dataset, frame: Dataset, keywords: Sequence[str]) -> None:
    """Copy those of `keywords` that the frame has to `data_set`, unchanged."""
    for keyword in keywords:
        if keyword in frame:
            data_set[keyword] = frame[keyword]


def add_missing(data_set: Dataset, values: Mapping[str, Any]) -> None:
    """Add those of `values` that are absent or empty in `data_set`."""
    for keyword, value in values.items():
        if keyword not in data_set or data_set[keyword].is_empty:
            setattr(data_set, keyword, value)


def add_empty(data_set: Dataset, keywords: Sequence[str]) -> None:
    """Add absent type 2 attributes without a value (PS3.5 section 7.4.3)."""
    for keyword in keywords:
        if keyword not in data_set:
            setattr(data_set, keyword, [] if keyword.endswith("Sequence") else None)


def decimal(value: Any) -> str | None:
    """Format a number, or the first of several, as a DS; None if absent or not finite."""
    number = _finite(value)
    return None if number is None else str(format_number_as_ds(number))


def integer(value: Any) -> int | None:
    """Round a number, or the first of several, for an IS; None if absent or not finite."""
    number = _finite(value)
    return None if number is None else round(number)


def first(value: Any) -> Any:
    """The value, or the first of several; None if absent or empty."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    return None if value == "" else value


def _finite(value: Any) -> float | None:
    number = first(value)
    return None if number is None or not math.isfinite(number) else float(number)
