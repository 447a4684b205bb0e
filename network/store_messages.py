"""C-STORE command sets (PS3.7 section 9.3.1) as bytes, without a data set object for each."""

import struct
from dataclasses import dataclass

from core.errors import SendError

_STORE_RQ, _STORE_RSP = 0x0001, 0x8001
_LOW_PRIORITY = 2
_DATA_SET_FOLLOWS = 0x0001
_LONGEST_UID = 64
_ELEMENT = struct.Struct("<HHL")  # implicit VR little endian, as all command sets (section 6.3.1)
_US = struct.Struct("<HHLH")

_GROUP_LENGTH = 0x0000
_AFFECTED_SOP_CLASS_UID, _AFFECTED_SOP_INSTANCE_UID = 0x0002, 0x1000
_COMMAND_FIELD, _MESSAGE_ID, _ANSWERED_MESSAGE_ID = 0x0100, 0x0110, 0x0120
_PRIORITY, _DATA_SET_TYPE = 0x0700, 0x0800
_STATUS, _ERROR_COMMENT = 0x0900, 0x0902


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """What a C-STORE-RSP says."""

    message_id: int
    """Of the request that it answers."""
    status: int
    comment: str
    """(0000,0902) Error Comment; empty where there is none."""


def store_request(message_id: int, sop_class_uid: str, sop_instance_uid: str) -> bytes:
    """The command set of a C-STORE-RQ.

    Raises:
        ValueError: a UID is longer than 64 characters, or is not ASCII.
    """
    elements = (
        _uid(_AFFECTED_SOP_CLASS_UID, sop_class_uid)
        + _US.pack(0, _COMMAND_FIELD, 2, _STORE_RQ)
        + _US.pack(0, _MESSAGE_ID, 2, message_id)
        + _US.pack(0, _PRIORITY, 2, _LOW_PRIORITY)
        + _US.pack(0, _DATA_SET_TYPE, 2, _DATA_SET_FOLLOWS)
        + _uid(_AFFECTED_SOP_INSTANCE_UID, sop_instance_uid)
    )
    return _ELEMENT.pack(0, _GROUP_LENGTH, 4) + struct.pack("<L", len(elements)) + elements


def read_store_answer(command: bytes) -> StoreAnswer:
    """What the command set of a C-STORE-RSP says.

    Raises:
        SendError: it is none, or says neither which request it answers nor how.
    """
    values = _values(command)
    try:
        (field,) = struct.unpack("<H", values[_COMMAND_FIELD])
        (answered,) = struct.unpack("<H", values[_ANSWERED_MESSAGE_ID])
        (status,) = struct.unpack("<H", values[_STATUS])
    except (KeyError, struct.error):
        raise SendError("a C-STORE response was expected, its command set is not one") from None
    if field != _STORE_RSP:
        raise SendError(f"a C-STORE response was expected, found command 0x{field:04X}")
    comment = values.get(_ERROR_COMMENT, b"").decode("ascii", "replace").strip("\x00 ")
    return StoreAnswer(answered, status, comment)


def _values(command: bytes) -> dict[int, bytes]:
    """By element number; an element that ends beyond the command set is cut off with it."""
    values, at = {}, 0
    while at + _ELEMENT.size <= len(command):
        group, number, length = _ELEMENT.unpack_from(command, at)
        at += _ELEMENT.size
        if group == 0:
            values[number] = command[at : at + length]
        at += length
    return values


def _uid(number: int, uid: str) -> bytes:
    value = uid.encode("ascii")
    if len(value) > _LONGEST_UID:
        raise ValueError(f"UID of {len(value)} characters, at most {_LONGEST_UID}")
    value += b"\x00" * (len(value) % 2)
    return _ELEMENT.pack(0, number, len(value)) + value
