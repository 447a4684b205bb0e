"""Reasons to hold a series: their codes, what resolves each, and which a release may pass over.

A person may release a series that may be incomplete: results are right for the images received, and
say what the release passed over. No release passes over what would make a result wrong: two
patients, no position in the patient, a volume with a gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class HoldReason(StrEnum):
    """Reason to hold a series; stored in the ledger, so a value never changes."""

    helps: str
    """What usually resolves the hold, besides a release."""
    released_with: str
    """What results are said to be released with; empty if no release may pass over the reason. A
    gap is releasable only for pipelines that compute nothing across slices."""

    def __new__(cls, code: str, helps: str = "", released_with: str = "") -> "HoldReason":
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.helps, reason.released_with = helps, released_with
        return reason

    # is the series complete?
    INSTANCES_MISSING = (
        "instances missing",
        "send the rest",
        "instances missing",
    )
    INSTANCES_REFUSED = (
        "instances refused",
        "send them again",
        "instances refused",
    )
    CUT_OFF = (
        "cut off",
        "send the series again",
        "a part cut off",
    )
    INSTANCES_REMOVED = (
        "instances removed",
        "send the whole series again",
    )
    # whose series is it, and which content counts?
    CONTENT_DISPUTED = (
        "content disputed",
        "take the newest content or the first (release with --take newest or --take first)",
    )
    SEVERAL_PATIENTS = (
        "several patients",
        "send each patient's instances as a series of their own; of a patient that was "
        "corrected, send all instances corrected",
    )
    SEVERAL_STUDIES = (
        "several studies",
        "send the instances of each study as a series of their own",
    )
    SEVERAL_SERIES = (
        "several series",
        "send the instances of each series apart",
    )
    DUPLICATE = (
        "duplicate",
        "send each instance under a SOPInstanceUID of its own",
    )
    # where in the patient are its images?
    FRAMES_OF_REFERENCE = (
        "frames of reference",
        "send the images of each frame of reference as a series of their own",
    )
    NO_PLACE = (
        "no place in the patient",
        "send the images with valid ImagePositionPatient, ImageOrientationPatient and PixelSpacing",
    )
    ORIENTATIONS = (
        "orientations",
        "send the images of each orientation as a series of their own",
    )
    NOT_STACKED = (
        "not stacked",
        "send the series resampled along its normal, or to a pipeline that works on single images",
    )
    GAP = (
        "gap",
        "send the missing slices",
        "a gap",
    )
    IRREGULAR_SPACING = (
        "irregular spacing",
        "send the series with even spacing, or to a pipeline that works on single images",
    )
    UNEQUAL_POSITIONS = (
        "unequal positions",
        "send the instances that are missing at some positions",
    )
    INDISTINCT = (
        "indistinct",
        "send the images that share a position as series of their own",
    )
    NO_VOLUME = (
        "no volume",
        "send it to a pipeline that works on single images",
    )
    NO_PLANES = (
        "no planes",
        "send the slices that these images were made from",
    )
    # can its pixels be used?
    NO_PIXELS = (
        "no pixels",
        "send the images with their pixels",
    )
    PIXEL_KIND = (
        "pixel kind",
        "send grey images of a kind that is supported",
    )
    SIZES = (
        "sizes",
        "send the images of each size as a series of their own",
    )
    PIXEL_SPACINGS = (
        "pixel spacings",
        "send the images of each pixel spacing as a series of their own",
    )
    TOO_LARGE = (
        "too large",
        "send it in parts; or raise engine.maximum_decoded_mb, to a third of a worker's memory at "
        "most, and retry",
    )
    # causes outside the series
    NODE = (
        "node",
        "put it right at the node, then retry",
    )
    OTHER = (
        "other",
        "put it right at the sender, and send the series again",
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to hold a series."""

    reason: HoldReason
    words: str
    """What was expected and what was found."""
    helps: str
    """What resolves the hold, besides a release."""
    is_releasable: bool
    """True if a person may release the series despite this reason."""

    def __str__(self) -> str:
        return f"{self.words}: {self.helps}" if self.helps else self.words


def hold_for(
    reason: HoldReason, words: str, *, helps: str = "", releasable: bool | None = None
) -> Hold:
    """Build the hold of a reason; `helps` and `releasable` replace the reason's defaults."""
    may = bool(reason.released_with) if releasable is None else releasable
    return Hold(reason, words, helps or reason.helps, may)


def may_be_passed(reason: str) -> bool:
    """True if a release may pass over a reason, at least in some series."""
    return bool(HoldReason(reason).released_with)


def released_words(reasons: Mapping[str, str]) -> str:
    """Describe in short what a release passed over, such as `released with a gap`.

    `reasons` are codes; the first is named and the others are counted, as descriptions are short.
    """
    if not reasons:
        return ""
    first = next(iter(reasons))
    label = HoldReason(first).released_with or first
    rest = len(reasons) - 1
    return f"released with {label}" + (f" and {rest} more" if rest else "")


def held_words(holds: Sequence[Hold], *, is_releasable: bool) -> str:
    """Join all reasons, each with what resolves it, and the release if it is possible."""
    words = "; ".join(dict.fromkeys(str(one) for one in holds))
    return f"{words}, or release it as it is" if is_releasable else words
