"""Preamble and file meta information (PS3.10 7.1) of a received instance."""

import struct

from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID, PYNETDICOM_IMPLEMENTATION_VERSION

_PREAMBLE = b"\x00" * 128 + b"DICM"


def encode_file_meta(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Encode preamble, prefix and file meta information for a C-STORE request.

    The bytes are those of pynetdicom's `Event.encoded_dataset`, made without data set objects.
    Characters of a UID that are not ASCII become question marks: the instance is refused later.
    """
    content = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01"
    for element, uid in (
        (0x0002, sop_class_uid),
        (0x0003, sop_instance_uid),
        (0x0010, transfer_syntax_uid),
        (0x0012, PYNETDICOM_IMPLEMENTATION_UID),
    ):
        content += _element(element, b"UI", uid.encode("ascii", "replace"), b"\x00")
    content += _element(0x0013, b"SH", PYNETDICOM_IMPLEMENTATION_VERSION.encode("ascii"), b" ")
    group_length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(content))
    return _PREAMBLE + group_length + content


def _element(element: int, vr: bytes, value: bytes, padding: bytes) -> bytes:
    value += padding * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value
