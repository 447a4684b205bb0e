"""Access elements of a data set as they were encoded, to compare encodings."""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_sequence

from imaging.instances.read_errors import BROKEN
from network.data_sets.element_values import BINARY_VRS, TEXT_VRS, little_endian, pieces

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_BIG_ENDIAN = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"
_KNOWN_VRS = TEXT_VRS | BINARY_VRS | {"SQ"}


class EncodedElement:
    """One element; a value that pydicom deferred is read from the file when it is needed."""

    def __init__(self, data_set: Dataset, tag: int, source: BinaryIO) -> None:
        """`source` is the open file that `data_set` was read from."""
        found = data_set.get_item(tag, keep_deferred=True)
        self._source = source
        self._raw = found if isinstance(found, RawDataElement) else None
        self._items = None if self._raw else list(data_set[tag].value or ())
        self.vr = self._known_vr()
        """VR of the encoding; None if it is not known, or implicit."""

    def _known_vr(self) -> str | None:
        if self._raw is None:
            return "SQ"
        return self._raw.VR if self._raw.VR in _KNOWN_VRS - {"UN"} else None

    @property
    def is_empty(self) -> bool:
        """True if the element has neither a value nor items."""
        return not self._items if self._raw is None else not self._raw.length

    @property
    def is_encapsulated(self) -> bool:
        """True if the value consists of fragments (PS3.5 A.4)."""
        return self._raw is not None and self._raw.length == _UNDEFINED

    @property
    def is_little_endian(self) -> bool:
        """True if the element was encoded in little endian."""
        return self._raw is None or self._raw.is_little_endian

    def opened(self) -> tuple[BinaryIO, int]:
        """A file to read the value from, and the position at which it begins."""
        if self._raw is not None and self._raw.value is None:
            return self._source, self._raw.value_tell
        return BytesIO(self.value()), 0

    def value(self) -> bytes:
        """The value as it was encoded; empty for a sequence whose items pydicom has read."""
        if self._raw is None or not self._raw.length:
            return b""
        if self._raw.value is None:
            return b"".join(pieces(self._source, self._raw.value_tell, self._raw.length))
        return bytes(self._raw.value)

    def binary(self) -> Iterator[bytes]:
        """The value in little endian, piece by piece."""
        if self._raw is None:
            return
        source, begin = self.opened()
        size = self._raw.length if self._raw.value is None else len(self._raw.value)
        for piece in pieces(source, begin, size):
            yield little_endian(piece, self.vr, is_little_endian=self.is_little_endian)

    def items(self) -> list[Dataset] | None:
        """Items of a sequence, or of a value that may be one; None if it is none.

        Items within a value of VR UN are in implicit VR little endian (PS3.5 6.2.2).
        """
        if self._raw is None or self.vr not in ("SQ", None):
            return self._items
        is_unknown = self._raw.VR == "UN"
        value = self.value()
        if not value:
            return []
        if self.vr is None and value[:4] not in (_ITEM, _ITEM_BIG_ENDIAN):
            return None
        return _items(
            value,
            is_implicit=is_unknown or self._raw.is_implicit_VR,
            is_little_endian=is_unknown or self._raw.is_little_endian,
        )


def _items(value: bytes, *, is_implicit: bool, is_little_endian: bool) -> list[Dataset] | None:
    """Read items; None if they do not end with the value."""
    source = BytesIO(value)
    try:
        found = read_sequence(source, is_implicit, is_little_endian, len(value), [default_encoding])
    except (*BROKEN, OSError):
        return None
    return list(found) if source.tell() == len(value) else None
