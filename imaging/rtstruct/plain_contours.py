"""Fast reading of contours from the bytes of a plain ContourSequence.

Plain means implicit VR little endian, defined lengths that fit, tags in ascending order, and
single ASCII values. Functions return None for anything else, which is then read with pydicom.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pydicom.dataelem import RawDataElement

from imaging.rtstruct.placement import Reference

_HEADER = struct.Struct("<HHL")
_ITEM = 0xFFFEE000
_REFERENCED_SOP_INSTANCE_UID, _REFERENCED_FRAME_NUMBER = 0x00081155, 0x00081160
_CONTOUR_IMAGE_SEQUENCE, _GEOMETRIC_TYPE = 0x30060016, 0x30060042
_NUMBER_OF_CONTOUR_POINTS, _CONTOUR_DATA = 0x30060046, 0x30060050
_MOST_DIGITS = 9
_NOT_SINGLE = b"\\ \0"
References = tuple[Reference, ...]


class PlainContour(NamedTuple):
    """Contour as it is encoded in the file."""

    data: bytes
    """Value of ContourData."""
    geometric_type: str
    references: References
    announced_points: int | None


class _NotPlainError(Exception):
    """The sequence is not plain."""


def plain_contours(sequence: RawDataElement) -> list[PlainContour] | None:
    """Read the contours of an unparsed ContourSequence; None if it is not plain."""
    value = sequence.value
    if value is None or not (sequence.is_implicit_VR and sequence.is_little_endian):
        return None
    known: dict[bytes, References] = {}
    try:
        return [_contour(value, begin, end, known) for begin, end in _items(value, 0, len(value))]
    except (struct.error, _NotPlainError):
        return None


def _contour(value: bytes, begin: int, end: int, known: dict[bytes, References]) -> PlainContour:
    found = _elements(value, begin, end)
    first, last = found.get(_CONTOUR_IMAGE_SEQUENCE, (0, 0))
    images = value[first:last]
    if images not in known:  # contours of one image have the same bytes here
        known[images] = tuple(_references(images))
    data_begin, data_end = found.get(_CONTOUR_DATA, (0, 0))
    return PlainContour(
        data=value[data_begin:data_end],
        geometric_type=_text(value, found, _GEOMETRIC_TYPE),
        references=known[images],
        announced_points=_integer(value, found, _NUMBER_OF_CONTOUR_POINTS),
    )


def _references(images: bytes) -> Iterator[Reference]:
    for begin, end in _items(images, 0, len(images)):
        found = _elements(images, begin, end)
        uid = _text(images, found, _REFERENCED_SOP_INSTANCE_UID)
        yield Reference(uid, _integer(images, found, _REFERENCED_FRAME_NUMBER))


def _text(value: bytes, found: dict[int, tuple[int, int]], tag: int) -> str:
    begin, end = found.get(tag, (0, 0))
    text = value[begin:end].rstrip(b" \0")
    if not text.isascii() or len(text.translate(None, _NOT_SINGLE)) < len(text):
        raise _NotPlainError
    return text.decode("ascii")


def _integer(value: bytes, found: dict[int, tuple[int, int]], tag: int) -> int | None:
    if tag not in found:
        return None
    text = _text(value, found, tag)
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise _NotPlainError
    return int(text)


def _items(value: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each item's content."""
    while at < end:
        group, number, length = _HEADER.unpack_from(value, at)
        at += _HEADER.size
        if group << 16 | number != _ITEM or at + length > end:
            raise _NotPlainError
        yield at, at + length
        at += length


def _elements(value: bytes, at: int, end: int) -> dict[int, tuple[int, int]]:
    """Begin and end of each element's value in an item, by tag."""
    found: dict[int, tuple[int, int]] = {}
    last = 0
    while at < end:
        group, number, length = _HEADER.unpack_from(value, at)
        at += _HEADER.size
        tag = group << 16 | number
        if tag <= last or at + length > end:
            raise _NotPlainError
        found[tag] = (at, at + length)
        last, at = tag, at + length
    return found
