"""Fragments of messages, and the command sets of C-STORE, read and written in place.

PS3.8 section 9.3.5 and Annex E for fragments, PS3.7 section 9.3.1 for C-STORE. Whatever is unusual
is left to pynetdicom: then nothing is said of it here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import BoundError
from core.uids import is_safe_uid

COMMAND, LAST = 0x01, 0x02  # bits of a message control header
_P_DATA = 0x04
_PDU_HEADER_BYTES = 6
_FRAGMENT = struct.Struct(">LBB")
HEADER_BYTES = _FRAGMENT.size
"""Of a fragment."""
_ELEMENT = struct.Struct("<HHL")
_US = struct.Struct("<H")
_GROUP_LENGTH, _SOP_CLASS, _FIELD, _MESSAGE_ID = 0x0000, 0x0002, 0x0100, 0x0110
_ANSWERED_ID, _PRIORITY, _DATA_SET_TYPE, _STATUS = 0x0120, 0x0700, 0x0800, 0x0900
_COMMENT, _SOP_INSTANCE, _MOVE_TITLE, _MOVE_ID = 0x0902, 0x1000, 0x1030, 0x1031
_NUMBERS = frozenset((_FIELD, _MESSAGE_ID, _PRIORITY, _DATA_SET_TYPE, _MOVE_ID))
_TEXTS = frozenset((_GROUP_LENGTH, _SOP_CLASS, _SOP_INSTANCE, _MOVE_TITLE))
_C_STORE_RQ, _C_STORE_RSP, _NO_DATA_SET = 0x0001, 0x8001, 0x0101
_LOWEST_PRIORITY = 2
_LONGEST_TITLE = 16


class Fragment(NamedTuple):
    """A presentation data value: its context, its message control header and its bytes."""

    context_id: int
    control: int
    content: memoryview


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """A C-STORE-RQ that a data set follows."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str


def check_context(fragment_of: int, message_of: int) -> None:
    """Nothing, where both presentation contexts are one (PS3.8 Annex E.1); else BoundError."""
    if fragment_of != message_of:
        raise BoundError(
            f"a message cannot be read (a fragment of presentation context {fragment_of} in a "
            f"message of {message_of})"
        )


def fragments_of(pdu: memoryview) -> list[Fragment] | None:
    """Those of a whole P-DATA-TF, which share its bytes; None where it is not regular."""
    found, position, end = [], _PDU_HEADER_BYTES, len(pdu)
    while position < end:
        if position + _FRAGMENT.size > end:
            return None
        length, context_id, control = _FRAGMENT.unpack_from(pdu, position)
        position += 4 + length
        if length < 2 or position > end:
            return None
        found.append(Fragment(context_id, control, pdu[position - length + 2 : position]))
    return found


def read_store_request(command: bytes) -> StoreRequest | None:
    """A C-STORE-RQ with all that it needs and nothing unusual, else None."""
    values: dict[int, int | bytes] = {}
    try:
        for element, value in _elements(command):
            values[element] = value
    except (struct.error, ValueError):
        return None
    if values.get(_FIELD) != _C_STORE_RQ or values.get(_DATA_SET_TYPE) in (None, _NO_DATA_SET):
        return None
    priority, title = values.get(_PRIORITY, 0), values.get(_MOVE_TITLE, b"A")
    if not isinstance(priority, int) or priority > _LOWEST_PRIORITY or not _is_title(title):
        return None
    message_id = values.get(_MESSAGE_ID)
    sop_class_uid, sop_instance_uid = _uid(values, _SOP_CLASS), _uid(values, _SOP_INSTANCE)
    if not isinstance(message_id, int) or not sop_class_uid or not sop_instance_uid:
        return None
    return StoreRequest(message_id, sop_class_uid, sop_instance_uid)


def store_response(request: StoreRequest, status: int, comment: str = "") -> bytes:
    """The command set of the C-STORE-RSP; `comment` is ASCII of at most 64 characters."""
    elements = [
        _element(_SOP_CLASS, _padded(request.sop_class_uid)),
        _element(_FIELD, _US.pack(_C_STORE_RSP)),
        _element(_ANSWERED_ID, _US.pack(request.message_id)),
        _element(_DATA_SET_TYPE, _US.pack(_NO_DATA_SET)),
        _element(_STATUS, _US.pack(status)),
    ]
    if comment:
        elements.append(_element(_COMMENT, _padded(comment, b" ")))
    elements.append(_element(_SOP_INSTANCE, _padded(request.sop_instance_uid)))
    content = b"".join(elements)
    return _element(_GROUP_LENGTH, struct.pack("<L", len(content))) + content


def command_pdus(command: bytes, context_id: int, longest: int) -> bytes:
    """P-DATA-TFs of at most `longest` bytes after their header (0: any), one after the other."""
    most = max(1, longest - _FRAGMENT.size) if longest else len(command)
    pdus = []
    for begin in range(0, len(command), most):
        part = command[begin : begin + most]
        control = COMMAND | (LAST if begin + most >= len(command) else 0)
        fragment = _FRAGMENT.pack(len(part) + 2, context_id, control) + part
        pdus.append(struct.pack(">BBL", _P_DATA, 0, len(fragment)) + fragment)
    return b"".join(pdus)


def _elements(command: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Implicit VR little endian; raises ValueError where anything is out of the ordinary."""
    position, last = 0, -1
    while position < len(command):
        group, element, length = _ELEMENT.unpack_from(command, position)
        value = command[position + 8 : position + 8 + length]
        position += 8 + length
        if group or element <= last or len(value) != length:
            raise ValueError
        last = element
        if element in _NUMBERS:
            if length != _US.size:
                raise ValueError
            yield element, _US.unpack(value)[0]
        elif element in _TEXTS:
            yield element, value
        else:
            raise ValueError


def _uid(values: dict[int, int | bytes], element: int) -> str:
    """Empty where there is none that could name a file."""
    value = values.get(element)
    if not isinstance(value, bytes):
        return ""
    uid = value.removesuffix(b"\x00").decode("latin-1")
    return uid if is_safe_uid(uid) else ""


def _is_title(value: int | bytes) -> bool:
    if not isinstance(value, bytes) or len(value) > _LONGEST_TITLE:
        return False
    return bool(value.strip()) and all(0x20 <= one < 0x7F and one != 0x5C for one in value)


def _element(element: int, value: bytes) -> bytes:
    return _ELEMENT.pack(0, element, len(value)) + value


def _padded(text: str, padding: bytes = b"\x00") -> bytes:
    value = text.encode("ascii")
    return value + padding * (len(value) % 2)
