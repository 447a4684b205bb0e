"""Labels of images at one position by their distinguishing attributes.

A column has a list for each position, with a label for each image there.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise

from imaging.geometry.distinctions import (
    CREATION,
    DIMENSION,
    HINTS,
    KINDS,
    MEASURES,
    MOMENTS,
    NUMBER,
)
from imaging.instances.header import Header

Positions = Sequence[Sequence[Header]]
Label = tuple[Hashable, ...]
Column = list[list[Label]]
_SAME_MEASURE = 1e-3
_SPREAD = 0.5


def varying(positions: Positions, names: Sequence[str]) -> list[str]:
    """Attributes out of `names` that have several values at some position."""
    if all(len(images) == 1 for images in positions):
        return []
    return [
        name
        for name in names
        if any(len({one.distinction(name) for one in images}) > 1 for images in positions)
    ]


def kind_names() -> tuple[str, ...]:
    """Keywords of the attributes that make a different image."""
    return (*MEASURES, *KINDS)


def may_be_neighbours(positions: Positions) -> bool:
    """True if images at one position may be neighbours whose positions were rounded.

    This is so if nothing but their acquisition time differs, and their numbers are consecutive.
    """
    if all(len(images) == 1 for images in positions):
        return False
    names = [name for name in MOMENTS if not name.startswith("Acquisition")]
    numbers = [sorted(one.instance_number for one in images) for images in positions]
    is_in_row = all(row == list(range(row[0], row[0] + len(row))) for row in numbers)
    differ = varying(positions, (*kind_names(), *names)) or hints(positions)
    return is_in_row and not differ


def describe_difference(positions: Positions) -> str:
    """Describe in which attributes images at one position differ, to make copies recognisable."""
    several = [images for images in positions if len(images) > 1]
    names = varying(several, (*kind_names(), *HINTS, *moment_names(several)))
    if names:
        return f"those at one position differ in {', '.join(names)}"
    first, second = (one.sop_instance_uid for one in several[0][:2])
    return f"no attribute tells those at one position apart, such as {first} and {second}"


def moment_names(positions: Positions) -> tuple[str, ...]:
    """Keywords of attributes that order images in time, the most reliable first."""
    found = {name for images in positions for one in images for name, _ in one.distinctions}
    dimensions = sorted(name for name in found if name.startswith(DIMENSION))
    return (*MOMENTS, *dimensions, NUMBER)


def kinds(positions: Positions, name: str) -> Column:
    """Labels by the value of an attribute; numbers of MEASURES are compared with a tolerance."""
    values = [[one.distinction(name) for one in images] for images in positions]
    if name not in MEASURES:
        return [[(str(type(value)), value) for value in row] for row in values]
    numbers = sorted({v for row in values for v in row if isinstance(v, float)})
    bands = _bands(values) or _clusters(numbers)
    return [[(bands.get(v, -1) if isinstance(v, float) else -1,) for v in row] for row in values]


def kinds_where_distinct(positions: Positions) -> Column | None:
    """Labels by all kinds, if they differ between all images at each position; else None."""
    columns = [kinds(positions, name) for name in varying(positions, kind_names())]
    labels = joined(columns, positions)
    return labels if columns and all(len(set(row)) == len(row) for row in labels) else None


def moments(positions: Positions, names: Sequence[str]) -> Column:
    """Labels by the ranks of the attributes' values at each position."""
    return joined([_ranks(positions, name) for name in names], positions)


def hints(positions: Positions) -> list[tuple[str, Column]]:
    """Keyword and labels of each of HINTS that has the same values at every position."""
    found = [(name, kinds(positions, name)) for name in varying(positions, HINTS)]
    return [(name, column) for name, column in found if is_same_everywhere(column)]


def creation(positions: Positions) -> Column | None:
    """Labels by creation time of the pixels; None if these do not tell all images apart."""
    column = moments(positions, [CREATION])
    return column if is_one_to_one(column) else None


def is_same_everywhere(column: Column) -> bool:
    """True if every position has the same labels, each the same number of times."""
    first = Counter(column[0])
    return all(Counter(row) == first for row in column[1:])


def is_one_to_one(column: Column) -> bool:
    """True if every position has the same labels, each once."""
    return len(set(column[0])) == len(column[0]) and is_same_everywhere(column)


def is_finer(column: Column, labels: Column) -> bool:
    """True if `column` has more labels at a position than `labels`."""
    return len(set(column[0])) > len(set(labels[0]))


def is_shifted(positions: Positions, name: str) -> bool:
    """True if a value has different ranks at different positions, as some lack other values."""
    ranks: dict[Hashable, int] = {}
    for images, row in zip(positions, _ranks(positions, name), strict=True):
        for image, rank in zip(images, row, strict=True):
            if ranks.setdefault(image.distinction(name), rank) != rank:
                return True
    return False


def joined(columns: Sequence[Sequence[Sequence[Hashable]]], positions: Positions) -> Column:
    """Column whose labels combine those of several columns."""
    return [
        [tuple(column[p][i] for column in columns) for i in range(len(images))]
        for p, images in enumerate(positions)
    ]


def _ranks(positions: Positions, name: str) -> list[list[int]]:
    rows = []
    for images in positions:
        values = [one.distinction(name) for one in images]
        known = sorted({value for value in values if isinstance(value, float)})
        order = {value: rank for rank, value in enumerate(known)}
        rows.append([order[v] if isinstance(v, float) else -1 for v in values])
    return rows


def _clusters(numbers: Sequence[float]) -> dict[float, int]:
    """Map values to labels that are the same for values equal up to rounding."""
    labels, label = {}, 0
    for index, number in enumerate(numbers):
        if index and number - numbers[index - 1] > _SAME_MEASURE * abs(number):
            label += 1
        labels[number] = label
    return labels


def _bands(rows: Sequence[Sequence[Hashable]]) -> dict[float, int]:
    """Map values to ranks, if they vary little between positions and much within each.

    Empty if they do not.
    """
    ranked = [sorted({v for v in row if isinstance(v, float)}) for row in rows]
    if len({len(row) for row in ranked}) > 1 or not ranked[0]:
        return {}
    bands = list(zip(*ranked, strict=True))
    spread = max(max(band) - min(band) for band in bands)
    gaps = [min(upper) - max(lower) for lower, upper in pairwise(bands)]
    if gaps and spread > _SPREAD * min(gaps):
        return {}
    return {value: rank for rank, band in enumerate(bands) for value in band}
