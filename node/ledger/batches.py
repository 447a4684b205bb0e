"""Batches of values for conditions: databases limit the number of values in one statement."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Value = TypeVar("Value")
_MOST = 5000


def batches(values: Iterable[Value], most: int = _MOST) -> Iterator[list[Value]]:
    """Split `values` into lists of at most `most`."""
    rest = iter(values)
    while batch := list(islice(rest, most)):
        yield batch
