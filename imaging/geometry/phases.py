"""Splitting of a series into phases, each with one image at every position.

Images of different kinds (echo, b-value, kernel) are never mixed in one phase. Images of one kind
are ordered by moments, by rank at each position. InstanceNumber is used only if nothing else
differs, and only in a constant order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from imaging.geometry import told_apart
from imaging.geometry.distinctions import CREATION, JITTERING, NUMBER
from imaging.geometry.told_apart import Column, Positions
from imaging.instances.header import Header

Phases = tuple[tuple[Header, ...], ...]
Found = tuple[Column, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Split:
    """Images of a series by phase."""

    phases: Phases
    """Each phase has one image at every position, in the order of the positions."""
    told_apart_by: tuple[str, ...]
    """Keywords of the attributes that distinguish images at one position."""


class UndecidedError(GeometryError):
    """No attribute tells which images at several positions belong to one phase."""


def split(positions: Positions) -> Split:
    """Split a series with the same number of images at every position into phases.

    Raises:
        UndecidedError: no attribute decides which images belong together; names those tried.
    """
    kinds, names = _kinds(positions)
    phases: list[tuple[Header, ...]] = []
    for label in sorted(set(kinds[0])):
        part = [
            [image for image, own in zip(images, row, strict=True) if own == label]
            for images, row in zip(positions, kinds, strict=True)
        ]
        moments, further = _in_time(part)
        phases += _by_label(part, moments)
        names += tuple(name for name in further if name not in names)
    return Split(tuple(phases), names)


def split_in_order(positions: Positions) -> Split:
    """Split a series that is undecided, or has different numbers of images at its positions.

    Images are split by kind if that is possible, else by their order at each position.
    """
    found = told_apart.kinds_where_distinct(positions)
    if found is not None:
        return Split(tuple(_by_label(positions, found)), ())
    most = max(len(images) for images in positions)
    return Split(tuple(tuple(one[n] for one in positions if n < len(one)) for n in range(most)), ())


def _by_label(positions: Positions, labels: Column) -> Iterator[tuple[Header, ...]]:
    found = [
        dict(zip(row, images, strict=True)) for images, row in zip(positions, labels, strict=True)
    ]
    for label in sorted({label for row in labels for label in row}):
        yield tuple(one[label] for one in found if label in one)


def _kinds(positions: Positions) -> Found:
    """Labels by all attributes that make a different image, and their keywords."""
    names = told_apart.varying(positions, told_apart.kind_names())
    columns = [told_apart.kinds(positions, name) for name in names]
    for name, column in zip(names, columns, strict=True):
        if not told_apart.is_same_everywhere(column):
            raise _undecided(positions, [name])
    labels = told_apart.joined(columns, positions)
    if not told_apart.is_same_everywhere(labels):
        raise _undecided(positions, names)
    for name, column in told_apart.hints(positions):
        further = told_apart.joined([labels, column], positions)
        if told_apart.is_same_everywhere(further) and told_apart.is_finer(further, labels):
            labels, names = further, [*names, name]
    return labels, tuple(names)


def _in_time(positions: Positions) -> Found:
    """Labels of images of one kind by time, and the keywords used."""
    if len(positions[0]) == 1:
        return [[()] for _ in positions], ()
    names = told_apart.varying(positions, told_apart.moment_names(positions))
    for name in names:
        column = told_apart.moments(positions, [name])
        if name not in JITTERING and told_apart.is_shifted(positions, name):
            raise _undecided(positions, [name])
        if told_apart.is_one_to_one(column):
            return column, (name,)
    for pair in combinations(names, 2):
        column = told_apart.moments(positions, pair)
        if told_apart.is_one_to_one(column):
            return column, pair
    return _by_number(positions, names)


def _by_number(positions: Positions, names: Sequence[str]) -> Found:
    """Labels by InstanceNumber, if no other attribute contradicts it, and the keywords used."""
    numbers = _ranks_of_numbers(positions)
    if not numbers:
        raise _undecided(positions, names) if names else _duplicates(positions)
    for name in names:
        if not _is_in_order(told_apart.moments(positions, [name]), numbers):
            raise _undecided(positions, [name, NUMBER])
    made = told_apart.creation(positions)
    if made is not None:
        if made == numbers or told_apart.is_one_to_one(told_apart.kinds(positions, CREATION)):
            return made, (*names, CREATION)
        raise _undecided(positions, [CREATION, NUMBER])
    if not _is_constant(positions):
        raise _undecided(positions, [*names, NUMBER])
    return numbers, (*names, NUMBER)


def _ranks_of_numbers(positions: Positions) -> Column:
    """Ranks of InstanceNumber at each position; empty if images at one position share a number."""
    rows: Column = []
    for images in positions:
        numbers = sorted({one.instance_number for one in images})
        if len(numbers) < len(images):
            return []
        rows.append([(numbers.index(one.instance_number),) for one in images])
    return rows


def _is_in_order(column: Column, numbers: Column) -> bool:
    """True if labels never decrease where numbers increase."""
    rows = [
        sorted(zip(order, row, strict=True)) for order, row in zip(numbers, column, strict=True)
    ]
    return all(lower[1] <= upper[1] for row in rows for lower, upper in pairwise(row))


def _is_constant(positions: Positions) -> bool:
    """True if numbers have equal steps at every position, or each phase precedes the next."""
    rows = [sorted(one.instance_number for one in images) for images in positions]
    if len({tuple(number - row[0] for number in row) for row in rows}) == 1:
        return True
    phases = list(zip(*rows, strict=True))
    return all(max(phase) < min(following) for phase, following in pairwise(phases))


def _undecided(positions: Positions, names: Sequence[str]) -> UndecidedError:
    first = positions[0][0]
    return UndecidedError(
        f"Series {first.series_instance_uid}: {len(positions[0])} images at each of "
        f"{len(positions)} positions, and {' and '.join(names)} "
        f"{'does' if len(names) == 1 else 'do'} not say which of them belong together, expected "
        "the same values at every position",
        HoldReason.INDISTINCT,
    )


def _duplicates(positions: Positions) -> UndecidedError:
    first = next(
        images[0]
        for images in positions
        if len({one.instance_number for one in images}) < len(images)
    )
    return UndecidedError(
        f"Series {first.series_instance_uid}: {len(positions[0])} images at one position that no "
        f"attribute tells apart, InstanceNumber included, such as {first.sop_instance_uid}",
        HoldReason.INDISTINCT,
        helps="send each image once, and each kind of image as a series of its own",
    )
