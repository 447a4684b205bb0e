"""Read the identifiers of a regular data set by one walk through its elements.

A regular data set has known VRs, ascending tags, lengths that are right to the last byte, and
values as PS3.6 has them. Any other data set, and one that is to be refused, is left to pydicom
(`network/data_sets/examine.py`), which also finds what is wrong with it.
"""

import struct
from dataclasses import dataclass

from pydicom.uid import UID

from core.errors import EncodingError
from core.identity import MANUFACTURER
from core.uids import is_safe_uid
from imaging.instances.element_walk import (
    FIRST_TAG,
    SHORT_VRS,
    UNDEFINED_LENGTH,
    ElementWalk,
    NotRegularError,
    not_regular,
)
from network.data_sets.file_bytes import DataSet
from network.data_sets.limits import DataSetBounds, frame_sizes
from network.data_sets.negotiated import check_codestream, encoding_of

_ITEMS = 0xFFFE0000
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
    """Identifiers of an instance that is complete and within its bounds."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    made_here: bool
    """True if Manufacturer is this program; UIDs, which may show the same, are not checked."""


def scan(content: DataSet, transfer_syntax_uid: str, bounds: DataSetBounds) -> Scanned | None:
    """Identifiers of a regular data set within `bounds`; None if `examine` has to decide."""
    syntax = UID(transfer_syntax_uid)
    if syntax.is_deflated:
        return None
    walk = _Walk(content, syntax, bounds)
    try:
        walk.top_level()
        return walk.scanned()
    except (NotRegularError, EncodingError, struct.error, ValueError, IndexError):
        return None


class _Walk:
    """Walks through the elements of one data set (PS3.5 7)."""

    def __init__(self, content: DataSet, syntax: UID, bounds: DataSetBounds) -> None:
        self._content = content
        self._syntax = syntax
        self._bounds = bounds
        self._is_implicit = bool(syntax.is_implicit_VR)
        self._walk = ElementWalk(
            content,
            encoding_of(syntax),
            most_elements=bounds.most_elements,
            deepest=bounds.deepest,
        )
        self._short = struct.Struct("<H" if syntax.is_little_endian else ">H").unpack
        self._pixels_at: int | None = None
        self._values: dict[int, bytes] = {}

    def top_level(self) -> None:
        """Walk to the end; raises NotRegularError if the data set is not regular."""
        last, position, end = FIRST_TAG - 1, 0, len(self._content)
        if self._is_implicit and bytes(self._content[4:6]).isupper():
            not_regular()  # pydicom would take it for explicit
        while position < end:
            last, position = self._past_short_ones(position, last)
            if position < end:
                last, position = self._past_any(position, last)
        if position != end:
            not_regular()

    def scanned(self) -> Scanned:
        """The identifiers that were found; raises NotRegularError if one is not certain."""
        character_set = self._values.get(_CHARACTER_SET, b"").strip(b" ")
        if character_set not in _PLAIN_CHARACTER_SETS or _EQUIPMENT in self._values:
            not_regular()
        if max(self._size_by_header(), self._size_by_frames()) > self._bounds.most_decoded_bytes:
            not_regular()
        manufacturer = self._values.get(_MANUFACTURER, b"")
        if not manufacturer.isascii():
            not_regular()
        name = manufacturer.decode("ascii").strip(" \0").casefold()
        return Scanned(
            sop_class_uid=self._uid(_SOP_CLASS),
            sop_instance_uid=self._uid(_SOP_INSTANCE),
            study_instance_uid=self._uid(_STUDY),
            series_instance_uid=self._uid(_SERIES),
            made_here=name == MANUFACTURER.casefold(),
        )

    def _past_any(self, position: int, last: int) -> tuple[int, int]:
        """Tag of the element at `position`, and position of the next one."""
        header = self._walk.element(position)
        tag, kind, length, value = header
        if tag <= last or tag >= _ITEMS:
            not_regular()
        if tag in _WANTED:
            self._keep(tag, kind, value, length)
        if tag == _PIXEL_DATA:
            self._pixels_at = value
            return tag, self._past_pixels(value, length)
        return tag, self._walk.end_of(header)

    def _past_short_ones(self, position: int, last: int) -> tuple[int, int]:
        """Walk past elements whose length has 16 bits, and return the last tag and the position.

        Most elements have such a length and no items; one loop saves a call for each of them.
        """
        if self._is_implicit:
            return last, position
        content, end, count = self._content, len(self._content), self._walk.count
        unpack = self._walk.headers.explicit
        most = self._bounds.most_elements
        while position + 8 <= end:
            group, element, kind, length = unpack(content, position)
            tag = group << 16 | element
            if kind not in SHORT_VRS or tag == _PIXEL_DATA:
                break
            count += 1
            if tag <= last or tag >= _ITEMS or count > most:
                not_regular()
            if tag in _WANTED:
                self._keep(tag, kind, position + 8, length)
            last, position = tag, position + 8 + length
        self._walk.count = count
        return last, position

    def _past_pixels(self, value: int, length: int) -> int:
        """Position after native pixel data, or after the fragments of compressed (PS3.5 A.4)."""
        if self._syntax.is_encapsulated != (length == UNDEFINED_LENGTH):
            not_regular()
        if length != UNDEFINED_LENGTH:
            return value + length
        check_codestream(self._content, value, self._syntax)
        return self._walk.end_of_fragments(value)

    def _keep(self, tag: int, kind: bytes, value: int, length: int) -> None:
        if length > _LONGEST_VALUE or kind not in (b"", _WANTED[tag]):
            not_regular()
        self._values[tag] = bytes(self._content[value : value + length])

    def _uid(self, tag: int) -> str:
        uid = self._values.get(tag, b"").removesuffix(b"\0").decode("latin-1")
        if not is_safe_uid(uid):
            not_regular()
        return uid

    def _number(self, tag: int, default: int) -> int:
        value = self._values.get(tag, b"")
        return (self._short(value)[0] if value else 0) or default

    def _size_by_header(self) -> int:
        frames = self._values.get(_FRAMES, b"").strip(b" ") or b"1"
        if not frames.isdigit():
            not_regular()
        size = self._number(_ROWS, 0) * self._number(_COLUMNS, 0) * (int(frames) or 1)
        return size * self._number(_SAMPLES, 1) * self._number(_BITS, 8) // 8

    def _size_by_frames(self) -> int:
        if self._pixels_at is None or not self._syntax.is_encapsulated:
            return 0
        return sum(frame_sizes(self._content, self._pixels_at))
