"""What was refused: the node must not take the rest of its series for the whole."""

from dataclasses import dataclass
from typing import cast

from pydicom.uid import UID
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event

_LONGEST_UID = 64


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
        uid = UID(str(event.dataset.SeriesInstanceUID))
    except Exception:  # noqa: BLE001, refused data sets may be broken in any way
        return ""
    return str(uid) if 0 < len(uid) <= _LONGEST_UID else ""
