"""Size and compression of a compressed frame, read from its first bytes."""

import struct
from dataclasses import dataclass

_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"
# start of frame: ITU-T T.81 Table B.1 without DHT, JPG and DAC; 0xF7 is JPEG-LS (T.87)
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_RLE_HEADER_BYTES = 64
_JPEG_BY_MARKER = {0xC3: "JPEG lossless", 0xF7: "JPEG-LS"}
_COMPRESSIONS: dict[str, str] = {
    **dict.fromkeys(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"), "JPEG"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"), "JPEG lossless"),
    **dict.fromkeys(("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"), "JPEG-LS"),
    **{f"1.2.840.10008.1.2.4.{number}": "JPEG 2000" for number in (90, 91, 92, 93, 201, 202, 203)},
    "1.2.840.10008.1.2.5": "RLE",
}
LOOK_AT_BYTES = 65_536
"""Bytes of a frame that are examined; size markers come earlier."""


@dataclass(frozen=True, slots=True)
class DeclaredFrame:
    """Size of a decoded frame as its codestream declares it."""

    columns: int
    rows: int
    components: int
    bits: int

    @property
    def size_bytes(self) -> int:
        """Bytes of the decoded frame, with whole bytes for a sample."""
        return self.columns * self.rows * self.components * ((self.bits + 7) // 8)


def declared_frame(codestream: bytes | memoryview) -> DeclaredFrame | None:
    """Read the declared size of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame; else None.

    JPEG 2000: ITU-T T.800 Annex A.5.1, which HTJ2K shares.
    """
    head = bytes(codestream[:LOOK_AT_BYTES])
    try:
        if head.startswith(_JPEG_2000):
            return _size_marker(head)
        return _frame_marker(head) if head.startswith(_JPEG) else None
    except struct.error:
        return None


def _size_marker(head: bytes) -> DeclaredFrame:
    right, bottom, left, top = struct.unpack_from(">4L", head, 8)
    (components,) = struct.unpack_from(">H", head, 40)
    depths = head[42 : 42 + 3 * components : 3]
    bits = max(((one & 0x7F) + 1 for one in depths), default=8)
    return DeclaredFrame(max(0, right - left), max(0, bottom - top), components, bits)


def _frame_marker(head: bytes) -> DeclaredFrame | None:
    position = _start_of_frame(head)
    if position is None:
        return None
    bits, rows, columns, components = struct.unpack_from(">BHHB", head, position + 4)
    return DeclaredFrame(columns, rows, components, bits)


def _start_of_frame(head: bytes) -> int | None:
    """Position of the start-of-frame marker of a JPEG image."""
    position = 2
    while position + 4 <= len(head):
        if head[position] != 0xFF:
            return None
        marker = head[position + 1]
        if marker in _FRAME_MARKERS:
            return position
        if marker == 0xFF:  # fill
            position += 1
        elif marker in _NO_LENGTH:
            position += 2
        else:
            (length,) = struct.unpack_from(">H", head, position + 2)
            position += 2 + length
    return None


def compression_of(codestream: bytes | memoryview) -> str:
    """Name the compression that a frame's first bytes show; empty if they show none."""
    head = bytes(codestream[:LOOK_AT_BYTES])
    if head.startswith(_JPEG_2000):
        return "JPEG 2000"
    if _is_run_length_encoded(head):
        return "RLE"
    if not head.startswith(_JPEG):
        return ""
    try:
        position = _start_of_frame(head)
    except struct.error:
        position = None
    return "" if position is None else _JPEG_BY_MARKER.get(head[position + 1], "JPEG")


def _is_run_length_encoded(head: bytes) -> bool:
    """True if the frame begins with an RLE header (PS3.5 Annex G.5)."""
    if len(head) < _RLE_HEADER_BYTES:
        return False
    count, *offsets = struct.unpack_from("<16L", head)
    used, unused = offsets[:count], offsets[count:]
    is_header = 1 <= count <= len(offsets) and used[0] == _RLE_HEADER_BYTES and not any(unused)
    return is_header and used == sorted(used)


def other_compression(codestream: bytes | memoryview, transfer_syntax_uid: str) -> str:
    """Name the frame's compression if it contradicts its transfer syntax; else empty."""
    expected = _COMPRESSIONS.get(transfer_syntax_uid)
    found = compression_of(codestream) if expected else ""
    return found if found != expected else ""
