"""Attributes by which two data sets with one SOP Instance UID differ; names without values."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imaging.instances.read_errors import READING_ERRORS

_MOST_COMPARED = 1000
_MOST_NAMED = 8
_DEFER_BYTES = 4096
_ENCODING = "encoding"


@dataclass(slots=True)
class Differences:
    """Attributes that differ, each with the number of instances where it does."""

    compared: int = 0
    unreadable: int = 0
    """Pairs of which a file is missing or damaged."""
    attributes: Counter[str] = field(default_factory=Counter)
    """Count by keyword, or by tag where there is none; `encoding` if nothing else differs."""

    def __bool__(self) -> bool:
        return bool(self.attributes or self.unreadable)

    def __str__(self) -> str:
        named = self.attributes.most_common()
        parts = [f"{name} on {count}" for name, count in named[:_MOST_NAMED]]
        rest = len(named) - _MOST_NAMED
        parts += [f"{rest} more attributes"] if rest > 0 else []
        parts += [f"{self.unreadable} cannot be compared any more"] if self.unreadable else []
        return ", ".join(parts)


def compare_contents(pairs: Iterable[tuple[Path, Path]]) -> Differences:
    """Compare the two files of each pair; at most the first thousand pairs."""
    found = Differences()
    for number, (first, second) in enumerate(pairs):
        if number == _MOST_COMPARED:
            break
        found.compared += 1
        try:
            found.attributes.update(differing_attributes(first, second))
        except READING_ERRORS:
            found.unreadable += 1
    return found


def differing_attributes(first: Path, second: Path) -> list[str]:
    """Keywords of the top-level attributes that differ, or tags of those without a keyword.

    `["encoding"]` if every attribute is equal.

    Raises:
        READING_ERRORS: one of these, for a file that is missing or damaged.
    """
    one, other = (pydicom.dcmread(path, defer_size=_DEFER_BYTES) for path in (first, second))
    return list(changed_attributes(one, other)) or [_ENCODING]


def changed_attributes(first: Dataset, second: Dataset) -> Iterator[str]:
    """Yield the top-level attributes that differ between two data sets, without group lengths."""
    for tag in sorted({*first.keys(), *second.keys()}):
        if tag.element == 0:
            continue
        if tag not in first or tag not in second or not _is_same(first, second, tag):
            yield keyword_for_tag(tag) or str(tag)


def _is_same(first: Dataset, second: Dataset, tag: BaseTag) -> bool:
    one, other = first.get_item(tag), second.get_item(tag)
    are_raw = isinstance(one, RawDataElement) and isinstance(other, RawDataElement)
    if one and other and are_raw and one.value is not None and one.value == other.value:
        return True
    left, right = first[tag], second[tag]
    if left.VR == "SQ" and right.VR == "SQ":
        return _is_same_sequence(left, right)
    return bool(_value(left) == _value(right))


def _value(element: DataElement) -> object:
    """The element's value, with None for every form of an empty one."""
    return None if element.is_empty else element.value


def _is_same_sequence(first: DataElement, second: DataElement) -> bool:
    if len(first.value) != len(second.value):
        return False
    pairs = zip(first.value, second.value, strict=True)
    return not any(next(changed_attributes(one, other), "") for one, other in pairs)
