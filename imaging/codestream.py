"""What a compressed frame says that it becomes, read from its first bytes."""

import struct
from dataclasses import dataclass

_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"
# start of frame: ITU-T T.81 Table B.1 without DHT, JPG and DAC; 0xF7 is JPEG-LS (T.87)
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
LOOK_AT_BYTES = 65_536
"""Of a frame; what is looked for comes before."""


@dataclass(frozen=True, slots=True)
class DeclaredFrame:
    """The size of a frame that a decoder would allocate."""

    columns: int
    rows: int
    components: int
    bits: int

    @property
    def size_bytes(self) -> int:
        """Decoded, with whole bytes for a sample."""
        return self.columns * self.rows * self.components * ((self.bits + 7) // 8)


def declared_frame(codestream: bytes | memoryview) -> DeclaredFrame | None:
    """That of JPEG, JPEG-LS, JPEG 2000 and HTJ2K; None for anything else.

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
    position = 2
    while position + 4 <= len(head):
        if head[position] != 0xFF:
            return None
        marker = head[position + 1]
        if marker == 0xFF:  # fill
            position += 1
        elif marker in _FRAME_MARKERS:
            bits, rows, columns, components = struct.unpack_from(">BHHB", head, position + 4)
            return DeclaredFrame(columns, rows, components, bits)
        elif marker in _NO_LENGTH:
            position += 2
        else:
            (length,) = struct.unpack_from(">H", head, position + 2)
            position += 2 + length
    return None
