"""What was refused: the node must not take the rest of its series for the whole."""

import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from pydicom.filereader import read_dataset
from pydicom.uid import UID
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event

_LONGEST_UID = 64
_HEAD_BYTES = 1_000_000
_SERIES_INSTANCE_UID = 0x0020000E


@dataclass(frozen=True, slots=True)
class Refusal:
    """One instance that a peer sent and that is not here."""

    sop_instance_uid: str
    series_instance_uid: str
    """Empty where the instance does not even say that."""
    words: str
    """Status and reason."""


def refusal_of(event: Event, status: int, error: Exception) -> Refusal:
    """The refusal that answers a C-STORE request."""
    uid = str(cast(C_STORE, event.request).AffectedSOPInstanceUID)
    return Refusal(uid[:_LONGEST_UID], _series_of(event), f"0x{status:04X}, {error}")


def _series_of(event: Event) -> str:
    try:
        data_set = cast(BytesIO, cast(C_STORE, event.request).DataSet)
        uid = _series_at_the_head(data_set.getbuffer()[:_HEAD_BYTES], event.context.transfer_syntax)
    except Exception:  # noqa: BLE001, refused data sets may be broken in any way
        return ""
    return str(uid) if 0 < len(uid) <= _LONGEST_UID else ""


def _series_at_the_head(head: memoryview, syntax: UID) -> UID:
    """No more is read, as what was refused may be made to fill the memory of whoever reads it."""
    content = bytes(head)
    if syntax.is_deflated:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, _HEAD_BYTES)
    found = read_dataset(
        BytesIO(content),
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=lambda tag, _, __: tag > _SERIES_INSTANCE_UID,
    )
    return UID(str(found.SeriesInstanceUID))
