"""Walk through the elements of an encoded data set (PS3.5 sections 7.1, 7.5 and Annex A.4).

`ElementHeaders` reads one header; `ElementWalk` goes from each element to the next, through
sequences, items and fragments, and stops at the first irregularity. Code that tolerates more (a
data set as pydicom would read it, or in two encodings) does its own walk over the same headers.
"""

import struct
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, Protocol

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
KNOWN_VRS = SHORT_VRS | LONG_VRS | {b""}
UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM, END_OF_ITEM, END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
ITEM_GROUP = 0xFFFE
ITEM_BYTES = (b"\xff\xfe\xe0\x00", b"\xfe\xff\x00\xe0")
"""The tag of an item in big and in little endian."""
FIRST_TAG = 0x00080000
"""First tag of a data set; lower groups belong to messages and file meta information."""
PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
"""FloatPixelData, DoubleFloatPixelData, PixelData."""
DEEPEST = 64
_LAYOUTS = tuple(
    (struct.Struct(f"{order}HH2sH"), struct.Struct(f"{order}HHL"), struct.Struct(f"{order}L"))
    for order in "><"
)
"""Headers of an explicit VR element, of an implicit VR element or item, and a 32-bit length; in
big and in little endian."""

ElementHeader = tuple[int, bytes, int, int]
"""Tag, VR (empty for implicit VR and for items), length, and position of the value."""


class Content(Protocol):
    """Bytes in memory or in a file, read by slicing."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Any: ...


class Encoding(NamedTuple):
    """Encoding of data elements: VR explicit or implicit, and byte order (PS3.5 7.1, 7.3)."""

    is_implicit: bool
    is_little_endian: bool

    @property
    def words(self) -> str:
        """Text such as "explicit VR LE", short enough for an Error Comment."""
        vr, order = "implicit" if self.is_implicit else "explicit", self.is_little_endian
        return f"{vr} VR {'LE' if order else 'BE'}"


EXPLICIT_LE, IMPLICIT_LE = Encoding(False, True), Encoding(True, True)


class NotRegularError(Exception):
    """The bytes are not a regular data set in the expected encoding."""


def not_regular() -> NoReturn:
    """Raise NotRegularError."""
    raise NotRegularError


def unpacker(layout: struct.Struct, content: Content) -> Callable[[Any, int], tuple[Any, ...]]:
    """Function that unpacks `layout` at a position of `content`.

    The function raises struct.error beyond the end of the content.
    """
    if isinstance(content, bytes | memoryview):
        return layout.unpack_from

    def unpack(source: Content, position: int) -> tuple[Any, ...]:
        return layout.unpack(source[position : position + layout.size])

    return unpack


class ElementHeaders:
    """Reader of the headers of elements and items; raises struct.error beyond the end."""

    def __init__(self, content: Content, encoding: Encoding) -> None:
        explicit, implicit, length = _LAYOUTS[encoding.is_little_endian]
        self._content = content
        self._is_implicit = encoding.is_implicit
        self.explicit = unpacker(explicit, content)
        self._implicit = unpacker(implicit, content)
        self._length = unpacker(length, content)

    def element(self, position: int) -> ElementHeader:
        """Read the element header at `position`; unknown VRs have 16-bit lengths, as in pydicom."""
        content = self._content
        if self._is_implicit:
            group, number, length = self._implicit(content, position)
            return group << 16 | number, b"", length, position + 8
        group, number, vr, length = self.explicit(content, position)
        if group == ITEM_GROUP:  # items have no VR in any encoding (section 7.5)
            group, number, length = self._implicit(content, position)
            return group << 16 | number, b"", length, position + 8
        if vr in LONG_VRS:
            (length,) = self._length(content, position + 8)
            return group << 16 | number, vr, length, position + 12
        return group << 16 | number, vr, length, position + 8

    def item(self, position: int) -> tuple[int, int]:
        """Read tag and length of the item or delimiter at `position`; its header has 8 bytes."""
        group, number, length = self._implicit(self._content, position)
        return group << 16 | number, length


class ElementWalk:
    """Walk through a regular data set: known VRs, delimiters in place, lengths that fit."""

    def __init__(
        self,
        content: Content,
        encoding: Encoding,
        *,
        size: int | None = None,
        is_deep: bool = True,
        most_elements: int = sys.maxsize,
        deepest: int = DEEPEST,
    ) -> None:
        """Prepare a walk; no byte is read.

        Args:
            content: the data set, or its beginning.
            encoding: the encoding of the whole data set.
            size: bytes of the whole data set, if `content` is only its beginning.
            is_deep: True to walk through sequences of defined length, False to skip them.
            most_elements: maximum number of elements, items and delimiters.
            deepest: maximum nesting of sequences.
        """
        self.headers = ElementHeaders(content, encoding)
        self.count = 0
        """Elements, items and delimiters so far."""
        self._content = content
        self._size = len(content) if size is None else size
        self._is_deep = is_deep
        self._most_elements = most_elements
        self._deepest = deepest
        self._item = ITEM_BYTES[encoding.is_little_endian]
        self._item_of_other_order = ITEM_BYTES[not encoding.is_little_endian]

    def element(self, position: int) -> ElementHeader:
        """Read the header of the element that begins at `position`.

        Raises:
            NotRegularError: its VR is unknown, or there are too many elements.
            struct.error: the content ends within its header.
        """
        self.count += 1
        if self.count > self._most_elements:
            not_regular()
        header = self.headers.element(position)
        if header[1] not in KNOWN_VRS:
            not_regular()
        return header

    def end_of(self, header: ElementHeader, depth: int = 0) -> int:
        """Position after the element, where the next one begins; raises as `element` does."""
        tag, vr, length, value = header
        if length == UNDEFINED_LENGTH:
            if vr not in (b"SQ", b"") or tag in PIXELS:
                not_regular()
            return self._end_of_items(value, None, depth + 1)
        end = value + length
        if end > self._size:
            not_regular()
        if self._is_deep and length >= 8 and vr in (b"SQ", b"UN", b""):
            first = self._content[value : value + 4]
            if first == self._item:
                return self._end_of_items(value, end, depth + 1)
            if vr == b"SQ" or first == self._item_of_other_order:
                not_regular()
        return end

    def end_of_fragments(self, position: int) -> int:
        """Position after encapsulated pixel data whose first item is at `position` (Annex A.4)."""
        while True:
            self.count += 1
            tag, length = self.headers.item(position)
            position += 8
            if tag == END_OF_SEQUENCE and length == 0:
                return position
            is_too_much = self.count > self._most_elements or position + length > self._size
            if tag != ITEM or length == UNDEFINED_LENGTH or is_too_much:
                not_regular()
            position += length

    def _end_of_items(self, position: int, end: int | None, depth: int) -> int:
        """Position after a sequence; `end` is None where a delimiter ends it."""
        if depth > self._deepest or self.count > self._most_elements:
            not_regular()
        while end is None or position < end:
            self.count += 1
            tag, length = self.headers.item(position)
            position += 8
            if tag == END_OF_SEQUENCE and end is None and length == 0:
                return position
            if tag != ITEM:
                not_regular()
            item_end = None if length == UNDEFINED_LENGTH else position + length
            position = self._end_of_item(position, item_end, depth)
        if position != end:
            not_regular()
        return position

    def _end_of_item(self, position: int, end: int | None, depth: int) -> int:
        """Position after an item; `end` is None where a delimiter ends it."""
        while end is None or position < end:
            header = self.element(position)
            tag = header[0]
            if tag == END_OF_ITEM and end is None and header[2] == 0:
                return position + 8
            if not FIRST_TAG <= tag < ITEM or (self._is_deep and tag in PIXELS):
                not_regular()
            position = self.end_of(header, depth)
        if position != end:
            not_regular()
        return position
