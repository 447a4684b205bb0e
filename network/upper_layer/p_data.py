"""Encode a C-STORE-RQ as P-DATA-TF PDUs (PS3.8 9.3.5), with its data set straight from a file.

One buffer for each association holds as many PDUs as fit. Their headers are written once; the file
is read into the gaps between them by one system call (preadv), and the buffer is sent by another.
Nothing is decoded, and an instance of any size takes no more memory than the buffer.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import SendError

_P_DATA_TF = 0x04
_COMMAND, _LAST = 0x01, 0x02  # bits of a message control header (Annex E.2)
_HEADER = struct.Struct(">BBLLBB")
_COUNTED = 6  # bytes of the header that a PDU's length counts
_HEAD_ROOM = 1024  # for the command set before the first fragment
_BUFFER_BYTES = 262_144
_MOST_GAPS = 512  # below IOV_MAX
_LONGEST, _SHORTEST = 1 << 20, 128


@dataclass(frozen=True, slots=True)
class Extent:
    """Byte range of a data set within an open file."""

    descriptor: int
    begin: int
    end: int


class PDataBuffer:
    """Send buffer of one association: P-DATA-TF headers with gaps for the fragments."""

    def __init__(self, maximum_length: int) -> None:
        """For a peer that receives PDUs of `maximum_length` bytes (PS3.8 D.1); 0 means no limit.

        Raises:
            SendError: `maximum_length` is below 128 bytes.
        """
        longest = min(maximum_length or _BUFFER_BYTES, _LONGEST)
        if longest < _SHORTEST:
            raise SendError(f"takes PDUs of {longest} bytes, at least {_SHORTEST} are needed")
        self._size = (longest - _COUNTED) & ~1  # of one fragment; an even number (Annex E.1)
        stride = _HEADER.size + self._size
        self._count = min(max(1, _BUFFER_BYTES // stride), _MOST_GAPS)
        self._view = memoryview(bytearray(_HEAD_ROOM + self._count * stride))
        self._headers = [_HEAD_ROOM + index * stride for index in range(self._count)]
        self._gaps = [self._view[begin + _HEADER.size : begin + stride] for begin in self._headers]
        self._context_id = -1

    def pdus(self, extent: Extent, command: bytes, context_id: int) -> Iterator[memoryview]:
        """PDUs of a message, in pieces; each piece is valid only until the next is asked for.

        Raises:
            OSError: the file cannot be read, or became shorter.
        """
        self._use_context(context_id)
        begin = self._put_command(command, context_id)
        offset = extent.begin
        while extent.end - offset > self._count * self._size:
            self._fill(extent.descriptor, offset, self._gaps)
            yield self._view[begin:]
            offset, begin = offset + self._count * self._size, _HEAD_ROOM
        yield self._view[begin : self._put_last(extent, offset, context_id)]

    def _use_context(self, context_id: int) -> None:
        if context_id == self._context_id:
            return
        header = _header(self._size, context_id, 0)
        for at in self._headers:
            self._view[at : at + _HEADER.size] = header
        self._context_id = context_id

    def _put_command(self, command: bytes, context_id: int) -> int:
        """Write the command set before the first header; returns where it begins."""
        pieces = bytearray()
        for at in range(0, len(command), self._size):
            piece = command[at : at + self._size]
            control = _COMMAND | (_LAST if at + self._size >= len(command) else 0)
            pieces += _header(len(piece), context_id, control) + piece
        begin = _HEAD_ROOM - len(pieces)
        self._view[begin:_HEAD_ROOM] = pieces
        return begin

    def _put_last(self, extent: Extent, offset: int, context_id: int) -> int:
        """Read the fragments up to the last one; returns where it ends."""
        left = extent.end - offset
        whole = max(0, left - 1) // self._size
        rest = left - whole * self._size
        gaps = [*self._gaps[:whole], self._gaps[whole][:rest]]
        self._fill(extent.descriptor, offset, gaps)
        at = self._headers[whole]
        self._view[at : at + _HEADER.size] = _header(rest, context_id, _LAST)
        self._context_id = -1  # the next instance writes its headers again
        return at + _HEADER.size + rest

    @staticmethod
    def _fill(descriptor: int, offset: int, gaps: list[memoryview]) -> None:
        wanted = sum(map(len, gaps))
        if os.preadv(descriptor, gaps, offset) != wanted:
            raise OSError("the file became shorter while it was sent")


def _header(size: int, context_id: int, control: int) -> bytes:
    """PDU type and length, item length, context ID, message control header (PS3.8 9.3.5.1, E.2)."""
    return _HEADER.pack(_P_DATA_TF, 0, size + _COUNTED, size + 2, context_id, control)
