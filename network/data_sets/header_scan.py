"""What the ledger asks of a data set, by one walk through its elements.

Only a regular data set is judged here: known VRs, tags in ascending order, every length right to
the last byte, values as PS3.6 has them. Of any other one, and of one that is to be refused, nothing
is said: pydicom looks at it (`network/data_sets/examine.py`), and what is wrong with it is for that
way to say.
"""

import struct
from dataclasses import dataclass
from typing import NoReturn

from pydicom.uid import UID

from core.errors import EncodingError
from core.identity import MANUFACTURER
from core.uids import is_safe_uid
from imaging.instances.elements import LONG_VRS, SHORT_VRS
from network.data_sets.file_bytes import DataSet, unpacker
from network.data_sets.limits import DataSetBounds, frame_sizes
from network.data_sets.negotiated import check_codestream

_UNDEFINED = 0xFFFFFFFF
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_FIRST_TAG, _ITEMS = 0x00080000, 0xFFFE0000
_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_MANUFACTURER, _EQUIPMENT, _PIXEL_DATA = 0x00080070, 0x0018A001, 0x7FE00010
_CHARACTER_SET, _FRAMES = 0x00080005, 0x00280008
_SAMPLES, _ROWS, _COLUMNS, _BITS = 0x00280002, 0x00280010, 0x00280011, 0x00280100
_WANTED = {
    **dict.fromkeys((_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES), b"UI"),
    **dict.fromkeys((_SAMPLES, _ROWS, _COLUMNS, _BITS), b"US"),
    **{_CHARACTER_SET: b"CS", _MANUFACTURER: b"LO", _FRAMES: b"IS", _EQUIPMENT: b"--"},
}
_PLAIN_CHARACTER_SETS = frozenset((b"", b"ISO_IR 6", b"ISO_IR 100", b"ISO_IR 192"))
_LONGEST_VALUE = 1024


@dataclass(frozen=True, slots=True)
class Scanned:
    """The identifiers of an instance that is whole and within its bounds."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    made_here: bool
    """Whether its manufacturer is this program; other marks of ours are not looked at here."""


class _NotRegularError(Exception):
    """Pydicom has to look at it."""


def scan(content: DataSet, transfer_syntax_uid: str, bounds: DataSetBounds) -> Scanned | None:
    """What a data set is, as `examine` and the checks of `bounds` would find it; None: ask them."""
    syntax = UID(transfer_syntax_uid)
    if syntax.is_deflated:
        return None
    walk = _Walk(content, syntax, bounds)
    try:
        walk.top_level()
        return walk.scanned()
    except (_NotRegularError, EncodingError, struct.error, ValueError, IndexError):
        return None


class _Walk:
    """Through the elements of one data set (PS3.5 section 7)."""

    def __init__(self, content: DataSet, syntax: UID, bounds: DataSetBounds) -> None:
        order = "<" if syntax.is_little_endian else ">"
        self._content = content
        self._syntax = syntax
        self._bounds = bounds
        self._is_implicit = syntax.is_implicit_VR
        self._explicit = unpacker(struct.Struct(f"{order}HH2sH"), content)
        self._implicit = unpacker(struct.Struct(f"{order}HHL"), content)
        self._long = unpacker(struct.Struct(f"{order}L"), content)
        self._short = struct.Struct(f"{order}H").unpack
        self._item = struct.pack(f"{order}HH", 0xFFFE, 0xE000)
        self._item_of_other_order = self._item[1::-1] + self._item[:1:-1]
        self._count = 0
        self._pixels_at: int | None = None
        self._values: dict[int, bytes] = {}

    def top_level(self) -> None:
        """All of it, or _NotRegularError."""
        last, position, end = _FIRST_TAG - 1, 0, len(self._content)
        if self._is_implicit and bytes(self._content[4:6]).isupper():
            _not_regular()  # pydicom would take it for explicit
        while position < end:
            last, position = self._past_short_ones(position, last)
            if position < end:
                last, position = self._past_any(position, last)
        if position != end:
            _not_regular()

    def scanned(self) -> Scanned:
        """What was found, where nothing of it is in doubt."""
        character_set = self._values.get(_CHARACTER_SET, b"").strip(b" ")
        if character_set not in _PLAIN_CHARACTER_SETS or _EQUIPMENT in self._values:
            _not_regular()
        if max(self._size_by_header(), self._size_by_frames()) > self._bounds.most_decoded_bytes:
            _not_regular()
        manufacturer = self._values.get(_MANUFACTURER, b"")
        if not manufacturer.isascii():
            _not_regular()
        name = manufacturer.decode("ascii").strip(" \0").casefold()
        return Scanned(
            sop_class_uid=self._uid(_SOP_CLASS),
            sop_instance_uid=self._uid(_SOP_INSTANCE),
            study_instance_uid=self._uid(_STUDY),
            series_instance_uid=self._uid(_SERIES),
            made_here=name == MANUFACTURER.casefold(),
        )

    def _past_any(self, position: int, last: int) -> tuple[int, int]:
        """The tag of an element and where the next one begins."""
        tag, kind, length, value = self._element(position)
        if tag <= last or tag >= _ITEMS:
            _not_regular()
        if tag in _WANTED:
            self._keep(tag, kind, value, length)
        if tag == _PIXEL_DATA:
            self._pixels_at = value
            return tag, self._past_pixels(value, length)
        return tag, self._past(kind, value, length, depth=0)

    def _past_short_ones(self, position: int, last: int) -> tuple[int, int]:
        """The last tag and where the next element begins, after those with a length of 16 bits.

        Most elements are of these, and have no items: one loop, as each call would cost as much.
        """
        if self._is_implicit:
            return last, position
        content, end, unpack, count = self._content, len(self._content), self._explicit, self._count
        most = self._bounds.most_elements
        while position + 8 <= end:
            group, element, kind, length = unpack(content, position)
            tag = group << 16 | element
            if kind not in SHORT_VRS or tag == _PIXEL_DATA:
                break
            count += 1
            if tag <= last or tag >= _ITEMS or count > most:
                _not_regular()
            if tag in _WANTED:
                self._keep(tag, kind, position + 8, length)
            last, position = tag, position + 8 + length
        self._count = count
        return last, position

    def _element(self, position: int) -> tuple[int, bytes, int, int]:
        """Tag, VR (none where implicit), length and where the value begins."""
        self._count += 1
        if self._count > self._bounds.most_elements:
            _not_regular()
        if self._is_implicit:
            group, element, length = self._implicit(self._content, position)
            return group << 16 | element, b"", length, position + 8
        group, element, kind, length = self._explicit(self._content, position)
        if kind in SHORT_VRS:
            return group << 16 | element, kind, length, position + 8
        if kind not in LONG_VRS:
            _not_regular()
        (length,) = self._long(self._content, position + 8)
        return group << 16 | element, kind, length, position + 12

    def _past(self, kind: bytes, value: int, length: int, *, depth: int) -> int:
        """Where the next element begins; sequences are gone through."""
        if length == _UNDEFINED:
            if kind not in (b"SQ", b""):
                _not_regular()
            return self._past_items(value, None, depth + 1)
        end = value + length
        if end > len(self._content):
            _not_regular()
        if length >= 8 and kind in (b"SQ", b"UN", b""):
            first = self._content[value : value + 4]
            if first == self._item:
                return self._past_items(value, end, depth + 1)
            if kind == b"SQ" or first == self._item_of_other_order:
                _not_regular()
        return end

    def _past_items(self, position: int, end: int | None, depth: int) -> int:
        """The items of a sequence, to its end or to its delimiter."""
        if depth > self._bounds.deepest or self._count > self._bounds.most_elements:
            _not_regular()
        while end is None or position < end:
            self._count += 1
            group, element, length = self._implicit(self._content, position)
            tag, position = group << 16 | element, position + 8
            if tag == _END_OF_SEQUENCE and end is None and length == 0:
                return position
            if tag != _ITEM:
                _not_regular()
            item_end = None if length == _UNDEFINED else position + length
            position = self._past_item(position, item_end, depth)
        if position != end:
            _not_regular()
        return position

    def _past_item(self, position: int, end: int | None, depth: int) -> int:
        """The elements of an item, to its end or to its delimiter."""
        while end is None or position < end:
            if end is None:
                group, element, length = self._implicit(self._content, position)
                if group << 16 | element == _END_OF_ITEM and length == 0:
                    self._count += 1
                    return position + 8
            tag, kind, length, value = self._element(position)
            if not _FIRST_TAG <= tag < _ITEMS or tag == _PIXEL_DATA:
                _not_regular()
            position = self._past(kind, value, length, depth=depth)
        if position != end:
            _not_regular()
        return position

    def _past_pixels(self, value: int, length: int) -> int:
        """Native ones are as long as they say; of compressed ones each fragment is (Annex A.4)."""
        if self._syntax.is_encapsulated != (length == _UNDEFINED):
            _not_regular()
        if length != _UNDEFINED:
            return value + length
        check_codestream(self._content, value, self._syntax)
        while True:
            self._count += 1
            group, element, size = self._implicit(self._content, value)
            tag, value = group << 16 | element, value + 8
            if tag == _END_OF_SEQUENCE and size == 0:
                return value
            if tag != _ITEM or size == _UNDEFINED or self._count > self._bounds.most_elements:
                _not_regular()
            value += size

    def _keep(self, tag: int, kind: bytes, value: int, length: int) -> None:
        if length > _LONGEST_VALUE or kind not in (b"", _WANTED[tag]):
            _not_regular()
        self._values[tag] = bytes(self._content[value : value + length])

    def _uid(self, tag: int) -> str:
        uid = self._values.get(tag, b"").removesuffix(b"\0").decode("latin-1")
        if not is_safe_uid(uid):
            _not_regular()
        return uid

    def _number(self, tag: int, default: int) -> int:
        value = self._values.get(tag, b"")
        return (self._short(value)[0] if value else 0) or default

    def _size_by_header(self) -> int:
        frames = self._values.get(_FRAMES, b"").strip(b" ") or b"1"
        if not frames.isdigit():
            _not_regular()
        size = self._number(_ROWS, 0) * self._number(_COLUMNS, 0) * (int(frames) or 1)
        return size * self._number(_SAMPLES, 1) * self._number(_BITS, 8) // 8

    def _size_by_frames(self) -> int:
        if self._pixels_at is None or not self._syntax.is_encapsulated:
            return 0
        return sum(frame_sizes(self._content, self._pixels_at))


def _not_regular() -> NoReturn:
    raise _NotRegularError
