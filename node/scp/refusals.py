"""Refused instances: their series must not count as complete without them."""

import zlib
from dataclasses import dataclass
from io import BytesIO

from pydicom.filereader import read_dataset
from pydicom.uid import UID

from core.uids import is_safe_uid

_LONGEST_WORDS = 500
HEAD_BYTES = 1_000_000
"""Bytes of a refused data set that are read at most."""
_SERIES_INSTANCE_UID = 0x0020000E


@dataclass(frozen=True, slots=True)
class Refusal:
    """An instance that a peer sent and that was not stored."""

    sop_instance_uid: str
    """As in the request; empty if that is no UID."""
    series_instance_uid: str
    """Empty if the data set does not have it."""
    words: str
    """Status and reason in words."""


def refusal_of(sop_instance_uid: str, head: bytes, transfer_syntax_uid: str, words: str) -> Refusal:
    """Describe the refusal of a data set that begins with the bytes `head`."""
    uid = _series_of(head[:HEAD_BYTES], UID(transfer_syntax_uid))
    known = sop_instance_uid if is_safe_uid(sop_instance_uid) else ""
    return Refusal(known, uid, words[:_LONGEST_WORDS])


def _series_of(head: bytes, syntax: UID) -> str:
    try:
        uid = _series_at_the_head(head, syntax)
    except Exception:  # noqa: BLE001, refused data sets may be broken in any way
        return ""
    return uid if is_safe_uid(uid) else ""


def _series_at_the_head(content: bytes, syntax: UID) -> str:
    """SeriesInstanceUID; reading stops there, as a refused data set may be made to fill memory."""
    if syntax.is_deflated:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, HEAD_BYTES)
    found = read_dataset(
        BytesIO(content),
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=lambda tag, _, __: tag > _SERIES_INSTANCE_UID,
    )
    return str(found.SeriesInstanceUID)
