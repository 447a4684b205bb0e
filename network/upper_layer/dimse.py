"""Read and write DIMSE command sets (PS3.7 6.3.1 and Annex E) without a data set object.

Command sets are in implicit VR little endian; elements that the node does not need are skipped.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import BoundError

C_STORE_RQ, C_FIND_RQ, C_ECHO_RQ, C_CANCEL_RQ = 0x0001, 0x0020, 0x0030, 0x0FFF
N_EVENT_REPORT_RQ, N_ACTION_RQ = 0x0100, 0x0130
RESPONSE = 0x8000
"""Bit of CommandField that is set in a response and clear in a request."""
SUCCESS, PROCESSING_FAILURE = 0x0000, 0x0110
SOP_CLASS_NOT_SUPPORTED, UNRECOGNIZED_OPERATION = 0x0122, 0x0211
"""Statuses (PS3.7 Annex C)."""

AFFECTED_CLASS, REQUESTED_CLASS, FIELD, MESSAGE_ID = 0x0002, 0x0003, 0x0100, 0x0110
RESPONDED_ID, PRIORITY, DATA_SET_TYPE, STATUS = 0x0120, 0x0700, 0x0800, 0x0900
COMMENT, AFFECTED_INSTANCE, REQUESTED_INSTANCE = 0x0902, 0x1000, 0x1001
EVENT_TYPE, ACTION_TYPE = 0x1002, 0x1008
"""Element numbers of group 0000 (Annex E)."""

_LOW_PRIORITY = 2
_NO_DATA_SET, _DATA_SET = 0x0101, 0x0001
_LONGEST_UID = 64
_ELEMENT = struct.Struct("<HHL")
_US = struct.Struct("<H")
_TYPES = {N_EVENT_REPORT_RQ: EVENT_TYPE, N_ACTION_RQ: ACTION_TYPE}
Values = Mapping[int, int | str]
"""Values by element number of group 0000."""


@dataclass(frozen=True, slots=True)
class CommandSet:
    """The elements of a command set; None or empty where one is missing."""

    field: int
    has_data_set: bool
    message_id: int | None = None
    responded_id: int | None = None
    """MessageIDBeingRespondedTo."""
    sop_class_uid: str = ""
    """AffectedSOPClassUID, else RequestedSOPClassUID."""
    sop_instance_uid: str = ""
    status: int | None = None
    comment: str = ""
    type_id: int | None = None
    """EventTypeID or ActionTypeID."""
    priority: int | None = None
    """Priority (0000,0700) of a C-STORE request; core/priority.py says what it means."""

    @property
    def is_response(self) -> bool:
        """True if the command set answers a request."""
        return bool(self.field & RESPONSE)


def read_command(content: bytes) -> CommandSet:
    """Decode a command set.

    Raises:
        BoundError: an element is cut off, or CommandField or CommandDataSetType is missing.
    """
    values = _values(content)
    field, data_set_type = _number(values, FIELD), _number(values, DATA_SET_TYPE)
    if field is None or data_set_type is None:
        raise BoundError(
            "a message cannot be read (its command set lacks CommandField or CommandDataSetType)"
        )
    event, action = _number(values, EVENT_TYPE), _number(values, ACTION_TYPE)
    return CommandSet(
        field=field,
        has_data_set=data_set_type != _NO_DATA_SET,
        message_id=_number(values, MESSAGE_ID),
        responded_id=_number(values, RESPONDED_ID),
        sop_class_uid=_text(values.get(AFFECTED_CLASS) or values.get(REQUESTED_CLASS)),
        sop_instance_uid=_text(values.get(AFFECTED_INSTANCE) or values.get(REQUESTED_INSTANCE)),
        status=_number(values, STATUS),
        comment=_text(values.get(COMMENT)),
        type_id=event if action is None else action,
        priority=_number(values, PRIORITY),
    )


def write_command(values: Values, *, has_data_set: bool) -> bytes:
    """Encode a command set with `values`, its group length included; empty texts are left out."""
    all_values = {**values, DATA_SET_TYPE: _DATA_SET if has_data_set else _NO_DATA_SET}
    content = b"".join(_element(key, all_values[key]) for key in sorted(all_values))
    return _ELEMENT.pack(0, 0, 4) + struct.pack("<L", len(content)) + content


def store_request(message_id: int, sop_class_uid: str, sop_instance_uid: str) -> bytes:
    """Encode the command set of a C-STORE-RQ (PS3.7 9.3.1.1).

    Raises:
        ValueError: a UID is longer than 64 characters, or is not ASCII.
    """
    for uid in (sop_class_uid, sop_instance_uid):
        if len(uid.encode("ascii")) > _LONGEST_UID:
            raise ValueError(f"UID of {len(uid)} characters, at most {_LONGEST_UID}")
    return write_command(
        {
            AFFECTED_CLASS: sop_class_uid,
            FIELD: C_STORE_RQ,
            MESSAGE_ID: message_id,
            PRIORITY: _LOW_PRIORITY,
            AFFECTED_INSTANCE: sop_instance_uid,
        },
        has_data_set=True,
    )


def write_response(request: CommandSet, status: int, comment: str = "") -> bytes:
    """Encode the response to `request`, without a data set; it repeats no overlong UID.

    `comment` is an ErrorComment of at most 64 ASCII characters.
    """
    values: dict[int, int | str] = {
        AFFECTED_CLASS: _repeated(request.sop_class_uid),
        FIELD: request.field | RESPONSE,
        RESPONDED_ID: request.message_id or 0,
        STATUS: status,
        COMMENT: comment,
        AFFECTED_INSTANCE: _repeated(request.sop_instance_uid),
    }
    if request.type_id is not None and request.field in _TYPES:
        values[_TYPES[request.field]] = request.type_id
    return write_command(values, has_data_set=False)


def _repeated(uid: str) -> str:
    """A UID of a request as its response has it, where it is optional (PS3.7 9.3.1.2)."""
    return uid if len(uid) <= _LONGEST_UID else ""


def _values(content: bytes) -> dict[int, bytes]:
    """Values by element number; of an element that occurs twice the last. Raises BoundError."""
    values, at, end = {}, 0, len(content)
    while at < end:
        if at + _ELEMENT.size > end:
            raise BoundError("a message cannot be read (its command set is cut off)")
        group, number, length = _ELEMENT.unpack_from(content, at)
        at += _ELEMENT.size
        if at + length > end:
            raise BoundError("a message cannot be read (its command set is cut off)")
        if group == 0:
            values[number] = content[at : at + length]
        at += length
    return values


def _number(values: Mapping[int, bytes], element: int) -> int | None:
    value = values.get(element, b"")
    return _US.unpack(value)[0] if len(value) == _US.size else None


def _text(value: bytes | None) -> str:
    """The text up to a NUL, as NULs pad UIDs and databases refuse them."""
    return "" if value is None else value.split(b"\x00")[0].decode("latin-1").strip()


def _element(number: int, value: int | str) -> bytes:
    if isinstance(value, int):
        return _ELEMENT.pack(0, number, _US.size) + _US.pack(value)
    if not value:
        return b""
    content = value.encode("latin-1", "replace")  # a UID is echoed as it was received
    content += (b" " if number == COMMENT else b"\x00") * (len(content) % 2)
    return _ELEMENT.pack(0, number, len(content)) + content
