"""Encode and decode protocol data units (PS3.8 9.3), except those of negotiation."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from core.config.wire import Wire
from core.errors import BoundError

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
COMMAND, LAST = 0x01, 0x02
"""Bits of a message control header (PS3.8 E.2)."""
HEADER_BYTES = 6
FRAGMENT_BYTES = 6
"""Bytes of a fragment's length, context ID and message control header."""

_FIXED_BYTES = 4  # of A-RELEASE-RQ, A-RELEASE-RP, A-ASSOCIATE-RJ and A-ABORT
_HEADERS_COUNTED_APART = 1024  # some peers do not count them as part of a PDU's maximum length
_FRAGMENT = struct.Struct(">LBB")
_HEADER = struct.Struct(">BBL")


class Fragment(NamedTuple):
    """A presentation data value (PS3.8 9.3.5.1)."""

    context_id: int
    control: int
    content: memoryview


def longest_pdus(wire: Wire) -> dict[int, int]:
    """Longest variable field of each PDU type that a listener reads, in bytes."""
    fixed = dict.fromkeys((ASSOCIATE_RJ, RELEASE_RQ, RELEASE_RP, ABORT), _FIXED_BYTES)
    associate = dict.fromkeys((ASSOCIATE_RQ, ASSOCIATE_AC), wire.maximum_request_bytes)
    return {**fixed, **associate, P_DATA: wire.maximum_pdu_bytes + _HEADERS_COUNTED_APART}


def pdu(kind: int, content: bytes) -> bytes:
    """Encode a PDU of type `kind` with the variable field `content`."""
    return _HEADER.pack(kind, 0, len(content)) + content


def release_pdu(kind: int) -> bytes:
    """Encode an A-RELEASE-RQ or A-RELEASE-RP (PS3.8 9.3.6 and 9.3.7)."""
    return pdu(kind, bytes(_FIXED_BYTES))


def abort_pdu(source: int = 2, reason: int = 0) -> bytes:
    """Encode an A-ABORT (PS3.8 9.3.8); `source` is the service user (0) or provider (2)."""
    return pdu(ABORT, bytes((0, 0, source, reason)))


def reject_pdu(result: int, source: int, reason: int) -> bytes:
    """Encode an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    return pdu(ASSOCIATE_RJ, bytes((0, result, source, reason)))


def fragments_of(p_data: memoryview) -> Iterator[Fragment]:
    """Split a P-DATA-TF into its fragments, which share its bytes (PS3.8 9.3.5).

    Raises:
        BoundError: a fragment is shorter than its header, or longer than the PDU.
    """
    position, end = HEADER_BYTES, len(p_data)
    while position < end:
        if position + FRAGMENT_BYTES > end:
            raise BoundError("a fragment without its header")
        length, context_id, control = _FRAGMENT.unpack_from(p_data, position)
        begin, position = position + FRAGMENT_BYTES, position + 4 + length
        if length < 2 or position > end:
            raise BoundError(f"a fragment claims {length} bytes, its PDU has fewer")
        yield Fragment(context_id, control, p_data[begin:position])


def p_data_pdus(content: bytes, context_id: int, kind: int, longest: int) -> bytes:
    """Encode a command set (`kind` COMMAND) or a data set (`kind` 0) as P-DATA-TFs.

    The variable field of each has at most `longest` bytes; 0 means no limit. Fragments have an even
    number of bytes (PS3.8 Annex E).
    """
    most = max(2, (longest - FRAGMENT_BYTES) & ~1) if longest else max(2, len(content))
    pdus = []
    for begin in range(0, max(1, len(content)), most):
        part = content[begin : begin + most]
        control = kind | (LAST if begin + most >= len(content) else 0)
        pdus.append(pdu(P_DATA, _FRAGMENT.pack(len(part) + 2, context_id, control) + part))
    return b"".join(pdus)
