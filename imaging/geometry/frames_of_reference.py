"""Frames of reference of a series (PS3.3 C.7.4.1): one in all, or one for each instance.

De-identified research data may have a FrameOfReferenceUID for every instance although all share
one space; such UIDs carry no information. A few UIDs in one series mean several spaces.
"""

from collections import Counter
from collections.abc import Sequence

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from core.uids import derive_uid
from imaging.geometry.rules import GeometryRules
from imaging.instances.header import Header

_FEWEST_SEPARATE = 3


def are_frames_separate(headers: Sequence[Header]) -> bool:
    """True if there are three or more instances, each with its own frame of reference."""
    frames = {one.sop_instance_uid: one.frame_of_reference_uid for one in headers}
    named = Counter(uid for uid in frames.values() if uid)
    return len(named) == len(frames) >= _FEWEST_SEPARATE


def check_frames(headers: Sequence[Header], rules: GeometryRules) -> None:
    """Check that the images of a volume share a frame of reference, or are assumed to.

    Raises:
        GeometryError: there are several frames of reference.
    """
    named = {one.frame_of_reference_uid for one in headers} - {""}
    if len(named) <= 1 or (rules.allow_separate_frames and are_frames_separate(headers)):
        return
    uid = headers[0].series_instance_uid
    raise GeometryError(
        f"Series {uid}: {len(named)} frames of reference, expected one for a volume",
        HoldReason.FRAMES_OF_REFERENCE,
    )


def common_frame_uid(headers: Sequence[Header], root_uid: str) -> str:
    """FrameOfReferenceUID for results computed across `headers`; empty if all have the same one.

    If some instances have none, the UID of the others; if there are several, a derived UID that
    all results of the series share.
    """
    frames = {one.frame_of_reference_uid for one in headers}
    if len(frames) == 1:
        return ""
    named = frames - {""}
    if len(named) == 1:
        return next(iter(named))
    return derive_uid(root_uid, "frame of reference", headers[0].series_instance_uid)
