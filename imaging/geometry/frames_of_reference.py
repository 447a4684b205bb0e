"""Frames of reference (PS3.3 C.7.4.1): one for a series, or one for each instance of it.

De-identified research data may give every instance a frame of its own, although all lie in one.
Such UIDs relate nothing to anything; a few of them in one series say that there are several spaces.
"""

from collections import Counter
from collections.abc import Sequence

from core.errors import GeometryError
from core.hold_reasons import HoldReason
from core.uids import derive_uid
from imaging.geometry.rules import GeometryRules
from imaging.instances.header import Header

_FEWEST_SEPARATE = 3


def are_separate(headers: Sequence[Header]) -> bool:
    """Whether each of three or more instances has a frame of reference of its own."""
    frames = {one.sop_instance_uid: one.frame_of_reference_uid for one in headers}
    named = Counter(uid for uid in frames.values() if uid)
    return len(named) == len(frames) >= _FEWEST_SEPARATE


def check_frames(headers: Sequence[Header], rules: GeometryRules) -> None:
    """Nothing, where the images of a volume share a frame of reference, or may be taken to.

    Raises:
        GeometryError: there are several.
    """
    named = {one.frame_of_reference_uid for one in headers} - {""}
    if len(named) <= 1 or (rules.allow_separate_frames and are_separate(headers)):
        return
    uid = headers[0].series_instance_uid
    raise GeometryError(
        f"Series {uid}: {len(named)} frames of reference, expected one for a volume",
        HoldReason.FRAMES_OF_REFERENCE,
    )


def common_frame_uid(headers: Sequence[Header], root_uid: str) -> str:
    """The frame of reference of what was computed across `headers`; empty where all agree.

    That of the others where some have none; where each has its own, one that all results of their
    series share.
    """
    frames = {one.frame_of_reference_uid for one in headers}
    if len(frames) == 1:
        return ""
    named = frames - {""}
    if len(named) == 1:
        return next(iter(named))
    return derive_uid(root_uid, "frame of reference", headers[0].series_instance_uid)
