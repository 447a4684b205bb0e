"""Bound the number of elements and the nesting of a data set before pydicom reads it.

pydicom makes an object of some hundred bytes for an element of eight, and a nested call for a
nested sequence, so the encoded elements are counted first. They are read as pydicom would, as a
data set may contradict its transfer syntax. The loop does not use `ElementHeaders`, which would
cost a third more.
"""

import struct
from typing import NamedTuple

from core.errors import BeyondBoundsError
from imaging.instances.element_walk import (
    END_OF_SEQUENCE,
    ITEM,
    ITEM_BYTES,
    ITEM_GROUP,
    LONG_VRS,
    UNDEFINED_LENGTH,
    Encoding,
    unpacker,
)
from imaging.instances.element_words import WAY_OUT
from network.data_sets.file_bytes import DataSet

_ITEM, _SEQUENCE_END = ITEM & 0xFFFF, END_OF_SEQUENCE & 0xFFFF
_PIXELS = 0x7FE0
_CHARACTER_SET, _LONGEST_CHARACTER_SET = (0x0008, 0x0005), 1024
_BINARY = frozenset((b"OB", b"OW"))
_MAY_NEST = frozenset((b"SQ", b"UN", b""))


class _Sequence(NamedTuple):
    """A sequence that the walk is in."""

    end: int | None
    """Position of its end; None if a delimiter ends it."""
    implicit_outside: bool
    implicit_inside: bool
    is_fragments: bool
    """True if its items are fragments of a value, such as compressed frames, without elements."""


class Structure:
    """Walks through the elements of an encoded data set."""

    def __init__(self, content: DataSet, encoding: Encoding) -> None:
        order = "<" if encoding.is_little_endian else ">"
        self._content = content
        self._is_implicit = _is_implicit(content, 0, encoding.is_implicit)
        self._tag_and_length = unpacker(struct.Struct(f"{order}HHL"), content)
        self._kind_and_length = unpacker(struct.Struct(f"{order}2sH"), content)
        self._length = unpacker(struct.Struct(f"{order}L"), content)
        self._item_tag = ITEM_BYTES[encoding.is_little_endian]
        self._open: list[_Sequence] = []

    def check(self, *, most_elements: int, deepest: int) -> None:
        """Check the number of elements and the depth of sequences.

        Raises:
            BeyondBoundsError: one of them is exceeded, or SpecificCharacterSet is too long.
        """
        count, position, end = 0, 0, len(self._content) - 8
        while position <= end:
            position = self._next(position)
            count += 1
            if count > most_elements:
                raise BeyondBoundsError(f"more than {most_elements} data elements")
            if len(self._open) > deepest:
                raise BeyondBoundsError(f"sequences are nested more than {deepest} deep")

    def _next(self, position: int) -> int:
        """Position of the next element or item."""
        while self._open and (last := self._open[-1].end) is not None and position >= last:
            self._close()
        group, element, length = self._tag_and_length(self._content, position)
        if group == ITEM_GROUP:
            return self._past_item(position + 8, element, length)
        if self._is_implicit:
            _check_character_set(group, element, length)
            return self._into_or_past(position + 8, group, b"", length)
        kind, length = self._kind_and_length(self._content, position + 4)
        if kind not in LONG_VRS:
            _check_character_set(group, element, length)
            return self._into_or_past(position + 8, group, kind, length)
        if position + 12 > len(self._content):
            return len(self._content)
        [length] = self._length(self._content, position + 8)
        _check_character_set(group, element, length)
        return self._into_or_past(position + 12, group, kind, length)

    def _past_item(self, content: int, element: int, length: int) -> int:
        """Position of an item's first element, or of what follows a fragment."""
        if not self._open:
            return content
        innermost = self._open[-1]
        if element == _SEQUENCE_END:
            self._close()
        elif element == _ITEM and innermost.is_fragments and length != UNDEFINED_LENGTH:
            return content + length
        elif element == _ITEM:  # pydicom, too, decides for each item
            found = innermost.implicit_inside or _is_implicit(self._content, content, True)
            self._is_implicit = found
        return content

    def _into_or_past(self, value: int, group: int, kind: bytes, length: int) -> int:
        is_fragments = group == _PIXELS or kind in _BINARY
        if length == UNDEFINED_LENGTH:
            self._enter(None, kind, is_fragments=is_fragments)
            return value
        if (
            length >= 8
            and not is_fragments
            and kind in _MAY_NEST
            and self._content[value : value + 4] == self._item_tag
        ):
            self._enter(value + length, kind, is_fragments=False)
            return value
        return value + length

    def _enter(self, end: int | None, kind: bytes, *, is_fragments: bool) -> None:
        inside = self._is_implicit or kind == b"UN"  # PS3.5 section 6.2.2
        self._open.append(_Sequence(end, self._is_implicit, inside, is_fragments))

    def _close(self) -> None:
        self._is_implicit = self._open.pop().implicit_outside


def _check_character_set(group: int, element: int, length: int) -> None:
    """Refuse a long SpecificCharacterSet, which pydicom reads and converts before any other."""
    if (group, element) == _CHARACTER_SET and length > _LONGEST_CHARACTER_SET:
        raise BeyondBoundsError(
            f"(0008,0005) SpecificCharacterSet: expected at most {_LONGEST_CHARACTER_SET} bytes, "
            f"found VR CS of {length} bytes; {WAY_OUT}"
        )


def _is_implicit(content: DataSet, position: int, is_agreed: bool) -> bool:
    """True for implicit VR; decided as pydicom does, by the first element's two characters."""
    kind = content[position + 4 : position + 6]
    if len(kind) < 2:
        return is_agreed
    return not (0x40 < kind[0] < 0x5B and 0x40 < kind[1] < 0x5B)
