"""Many values in one condition, a bounded number at a time: databases limit what one may hold."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Value = TypeVar("Value")
_MOST = 5000


def batches(values: Iterable[Value], most: int = _MOST) -> Iterator[list[Value]]:
    """`values` in lists of at most `most`."""
    rest = iter(values)
    while batch := list(islice(rest, most)):
        yield batch
