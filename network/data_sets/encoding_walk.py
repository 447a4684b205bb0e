"""Check that a data set keeps to one encoding, by a walk through every element (PS3.5 7).

Oddities that are not ambiguous are accepted: VRs that the standard does not have, tags out of
order, UN with either VR within (6.2.2), a few bytes after the last element.
"""

import struct
from typing import Literal, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag

from imaging.instances.element_walk import (
    DEEPEST,
    END_OF_ITEM,
    END_OF_SEQUENCE,
    ITEM,
    ITEM_BYTES,
    ITEM_GROUP,
    KNOWN_VRS,
    UNDEFINED_LENGTH,
    ElementHeaders,
    ElementWalk,
    Encoding,
    NotRegularError,
    not_regular,
)
from network.data_sets.file_bytes import DataSet

_PIXEL_DATA = 0x7FE00010
_OF_MESSAGES_AND_FILES = (0x0000, 0x0002)
_NOT_IN_A_DATA_SET = "no element of a data set"
_HEADER_BYTES = 8

ENCODINGS = (Encoding(True, True), Encoding(False, True), Encoding(False, False))


class Found(NamedTuple):
    """An element that contradicts the encoding, and how."""

    tag: int
    words: str


class _Element(NamedTuple):
    tag: int
    vr: bytes
    length: int
    value: int


class EncodingWalk:
    """Walks through a data set in one encoding; with `is_mixed`, also past elements in another."""

    def __init__(
        self,
        content: DataSet,
        encoding: Encoding,
        *,
        is_mixed: bool,
        is_encapsulated: bool | None,
        most_elements: int,
    ) -> None:
        """`is_encapsulated`: whether pixel data should be (PS3.5 A.4); None: either is right."""
        self._content = content
        self._left = most_elements
        self._size = len(content)
        self._encoding = encoding
        self._is_mixed = is_mixed
        self._is_encapsulated = is_encapsulated
        self._headers = {encoding: ElementHeaders(content, encoding) for encoding in ENCODINGS}
        self.found: list[Found] = []

    def contradictions(self) -> list[Found]:
        """Walk to the end; returns the elements that contradict the encoding.

        Raises:
            NotRegularError: the bytes are not elements up to their end.
        """
        try:
            self._elements(0, self._size, self._encoding, depth=0)
        except struct.error:
            not_regular()
        return self.found

    def _elements(self, position: int, end: int | None, encoding: Encoding, *, depth: int) -> int:
        if depth > DEEPEST:
            not_regular()
        limit = self._size if end is None else end
        while end is None or position < end:
            if end is None and self._headers[encoding].item(position)[0] == END_OF_ITEM:
                return position + _HEADER_BYTES
            if depth == 0 and limit - position < _HEADER_BYTES:
                return limit  # too few bytes for an element: readers ignore them
            position = self._past(position, limit, encoding, depth=depth)
        if position != end:
            not_regular()
        return position

    def _past(self, position: int, limit: int, encoding: Encoding, *, depth: int) -> int:
        """Position of the element after the one at `position`."""
        self._left -= 1
        if self._left < 0:
            not_regular()
        element = self._element(position, limit, encoding)
        if element is not None and (not self._is_mixed or self._goes_on(element, limit, encoding)):
            return self._past_value(element, encoding, depth=depth)
        for other in ENCODINGS if self._is_mixed else ():
            another = self._element(position, limit, other, is_odd_taken=False)
            if other != encoding and another and self._goes_on(another, limit, other):
                self.found.append(Found(another.tag, other.words))
                return self._past_value(another, other, depth=depth)
        if element is None:
            not_regular()
        return self._past_value(element, encoding, depth=depth)

    def _element(
        self, position: int, limit: int, encoding: Encoding, *, is_odd_taken: bool = True
    ) -> _Element | None:
        found = _Element(*self._headers[encoding].element(position))
        if found.vr in KNOWN_VRS:
            return found if self._is_within(found, limit) else None
        return self._odd(found, limit, encoding) if is_odd_taken else None

    def _odd(self, short: _Element, limit: int, encoding: Encoding) -> _Element | None:
        """Read an element of an unknown VR; what follows tells if its length has 16 or 32 bits."""
        if not all(0x20 <= byte <= 0x7E for byte in short.vr):
            return None
        if self._is_within(short, limit) and self._goes_on(short, limit, encoding):
            return short
        if short.value + 4 > limit:
            return None
        order: Literal["little", "big"] = "little" if encoding.is_little_endian else "big"
        length = int.from_bytes(self._content[short.value : short.value + 4], order)
        found = _Element(short.tag, short.vr, length, short.value + 4)
        return found if self._is_within(found, limit) and length != UNDEFINED_LENGTH else None

    def _is_within(self, element: _Element, limit: int) -> bool:
        if element.tag >> 16 >= ITEM_GROUP:
            return False
        return element.length == UNDEFINED_LENGTH or element.value + element.length <= limit

    def _goes_on(self, element: _Element, limit: int, encoding: Encoding) -> bool:
        """True if another element, or an end, seems to follow."""
        if element.length == UNDEFINED_LENGTH:
            return bytes(self._content[element.value : element.value + 4]) in ITEM_BYTES
        position = element.value + element.length
        if limit - position < _HEADER_BYTES:
            return position == limit
        tag, length = self._headers[encoding].item(position)
        if tag == END_OF_ITEM:
            return True
        if tag <= element.tag or tag >> 16 >= ITEM_GROUP:
            return False
        vr = bytes(self._content[position + 4 : position + 6])
        fits = length == UNDEFINED_LENGTH or position + _HEADER_BYTES + length <= limit
        return vr in KNOWN_VRS or fits

    def _past_value(self, element: _Element, encoding: Encoding, *, depth: int) -> int:
        tag, vr, length, value = element
        if tag >> 16 in _OF_MESSAGES_AND_FILES:
            self.found.append(Found(tag, _NOT_IN_A_DATA_SET))
        if length == UNDEFINED_LENGTH:
            return self._past_undefined(element, encoding, depth=depth)
        if tag == _PIXEL_DATA and length and not depth and self._is_encapsulated:
            self.found.append(Found(tag, "native"))
        end = value + length
        if vr == b"SQ" and length:
            return self._items(value, end, encoding, depth=depth)
        if vr or length < _HEADER_BYTES or self._content[value : value + 4] not in ITEM_BYTES:
            return end
        return self._past_what_may_be_items(element, encoding, depth=depth)

    def _past_what_may_be_items(self, element: _Element, encoding: Encoding, *, depth: int) -> int:
        """Walk past a value of implicit VR that looks like items; a private one may be none."""
        end, usual = element.value + element.length, _usual_vr(element.tag)
        if usual not in ("", "SQ"):
            return end
        before = len(self.found)
        try:
            return self._items(element.value, end, encoding, depth=depth)
        except (NotRegularError, struct.error):
            if usual or not self._is_mixed:
                raise
            del self.found[before:]
            return end

    def _past_undefined(self, element: _Element, encoding: Encoding, *, depth: int) -> int:
        tag, vr, _, value = element
        if tag == _PIXEL_DATA or vr in (b"OB", b"OW"):
            if tag == _PIXEL_DATA and self._is_encapsulated is False:
                self.found.append(Found(tag, "encapsulated"))
            return ElementWalk(self._content, encoding).end_of_fragments(value)
        if vr == b"UN":
            return self._past_unknown(value, encoding, depth=depth)
        if vr not in (b"", b"SQ"):
            not_regular()
        return self._items(value, None, encoding, depth=depth)

    def _past_unknown(self, value: int, encoding: Encoding, *, depth: int) -> int:
        """Walk past items within UN: implicit VR (PS3.5 6.2.2), or the writer's encoding."""
        before = len(self.found)
        for within in (Encoding(True, True), encoding):
            try:
                return self._items(value, None, within, depth=depth)
            except (NotRegularError, struct.error):
                del self.found[before:]
        raise NotRegularError

    def _items(self, position: int, end: int | None, encoding: Encoding, *, depth: int) -> int:
        order = encoding.is_little_endian
        if self._is_mixed and self._content[position : position + 4] == ITEM_BYTES[not order]:
            encoding = Encoding(not order and encoding.is_implicit, not order)
            self.found.append(Found(ITEM, encoding.words))
        while end is None or position < end:
            tag, length = self._headers[encoding].item(position)
            position += _HEADER_BYTES
            if tag == END_OF_SEQUENCE and (end is None or position == end):
                return position
            if tag != ITEM:
                not_regular()
            item_end = None if length == UNDEFINED_LENGTH else position + length
            if item_end is not None and item_end > (self._size if end is None else end):
                not_regular()
            position = self._elements(position, item_end, encoding, depth=depth + 1)
        if position != end:
            not_regular()
        return position


def _usual_vr(tag: int) -> str:
    if Tag(tag).is_private:
        return ""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
