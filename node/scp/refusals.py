"""Refused instances: their series must not count as complete without them."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from pydicom.filereader import read_dataset
from pydicom.uid import UID

from core.uids import is_safe_uid

_LONGEST_WORDS = 500
HEAD_BYTES = 1_000_000
"""Bytes of a refused data set that are read at most."""
MOST_KEPT = 5_000
"""Refused instances of one association that are kept each by itself."""
MOST_OF_UNKNOWN_SERIES = 100
"""The same for those whose series is not known, as each concerns all series of the association."""
_MOST_SERIES = 1_000
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
    count: int = 1
    """How many instances it stands for."""


class Refusals:
    """Refused instances of one association: the first ones each, then their number by series.

    What is kept is bounded, however many instances a peer sends; each series stays incomplete.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Refusal] = {}
        self._further: dict[str, Refusal] = {}
        self._of_unknown_series = 0

    def __bool__(self) -> bool:
        return bool(self._kept)

    def note(self, refusal: Refusal) -> None:
        """Keep a refusal; one of the same instance as before takes its place."""
        key = refusal.series_instance_uid, refusal.sop_instance_uid
        before = self._kept.get(key)
        if before is None and not self._has_room(refusal):
            self._count(refusal)
            return
        if before is None:
            self._of_unknown_series += not refusal.series_instance_uid
        elif not refusal.sop_instance_uid:  # another one, as far as anybody can tell
            refusal = replace(refusal, count=before.count + refusal.count)
        self._kept[key] = refusal

    def all(self) -> Sequence[Refusal]:
        """Each refusal that was kept, then one for the further ones of each series."""
        return [*self._kept.values(), *self._further.values()]

    def _has_room(self, refusal: Refusal) -> bool:
        if not refusal.series_instance_uid and self._of_unknown_series >= MOST_OF_UNKNOWN_SERIES:
            return False
        return len(self._kept) < MOST_KEPT

    def _count(self, refusal: Refusal) -> None:
        uid = refusal.series_instance_uid
        if uid not in self._further and len(self._further) >= _MOST_SERIES:
            uid = ""  # concerns all series of the association
        before = self._further.get(uid)
        count = refusal.count + (before.count if before else 0)
        self._further[uid] = Refusal("", uid, refusal.words, count)


def refusal_of(sop_instance_uid: str, head: bytes, transfer_syntax_uid: str, words: str) -> Refusal:
    """Describe the refusal of a data set that begins with the bytes `head`."""
    uid = _series_of(head[:HEAD_BYTES], UID(transfer_syntax_uid))
    known = sop_instance_uid if is_safe_uid(sop_instance_uid) else ""
    words = words.replace(f"Instance {known}: ", "", 1)  # equal reasons are equal words
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
