"""Reasons to hold a series: their codes, what resolves each, and which a release may pass over.

A person may release a series that may be incomplete: results are right for the images received, and
say what the release passed over. No release passes over what would make a result wrong: two
patients, no position in the patient, a volume with a gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class HoldReason(StrEnum):
    """Reason to hold a series; stored in the ledger, so a value never changes."""

    # is the series complete?
    INSTANCES_MISSING = "instances missing"
    INSTANCES_REFUSED = "instances refused"
    CUT_OFF = "cut off"
    INSTANCES_REMOVED = "instances removed"
    # whose series is it, and which content counts?
    CONTENT_DISPUTED = "content disputed"
    SEVERAL_PATIENTS = "several patients"
    SEVERAL_STUDIES = "several studies"
    SEVERAL_SERIES = "several series"
    DUPLICATE = "duplicate"
    # where in the patient are its images?
    FRAMES_OF_REFERENCE = "frames of reference"
    NO_PLACE = "no place in the patient"
    ORIENTATIONS = "orientations"
    NOT_STACKED = "not stacked"
    GAP = "gap"
    IRREGULAR_SPACING = "irregular spacing"
    UNEQUAL_POSITIONS = "unequal positions"
    INDISTINCT = "indistinct"
    NO_VOLUME = "no volume"
    NO_PLANES = "no planes"
    # can its pixels be used?
    NO_PIXELS = "no pixels"
    PIXEL_KIND = "pixel kind"
    SIZES = "sizes"
    PIXEL_SPACINGS = "pixel spacings"
    # causes outside the series
    NODE = "node"
    OTHER = "other"


_RELEASABLE: Mapping[HoldReason, str] = MappingProxyType(
    {
        HoldReason.INSTANCES_MISSING: "instances missing",
        HoldReason.INSTANCES_REFUSED: "instances refused",
        HoldReason.CUT_OFF: "a part cut off",
        HoldReason.GAP: "a gap",
    }
)
"""Reasons that a release may pass over, and their words in results. A gap is releasable only for
pipelines that compute nothing across slices."""

_HELPS: Mapping[HoldReason, str] = MappingProxyType(
    {
        HoldReason.INSTANCES_MISSING: "send the rest",
        HoldReason.INSTANCES_REFUSED: "send them again",
        HoldReason.CUT_OFF: "send the series again",
        HoldReason.INSTANCES_REMOVED: "send the whole series again",
        HoldReason.CONTENT_DISPUTED: "take the newest content or the first "
        "(release with --take newest or --take first)",
        HoldReason.SEVERAL_PATIENTS: "send each patient's instances as a series of their own; "
        "of a patient that was corrected, send all instances corrected",
        HoldReason.SEVERAL_STUDIES: "send the instances of each study as a series of their own",
        HoldReason.SEVERAL_SERIES: "send the instances of each series apart",
        HoldReason.DUPLICATE: "send each instance under a SOPInstanceUID of its own",
        HoldReason.FRAMES_OF_REFERENCE: "send the images of each frame of reference as a series "
        "of their own",
        HoldReason.NO_PLACE: "send the images with valid ImagePositionPatient, "
        "ImageOrientationPatient and PixelSpacing",
        HoldReason.ORIENTATIONS: "send the images of each orientation as a series of their own",
        HoldReason.NOT_STACKED: "send the series resampled along its normal, or to a pipeline "
        "that works on single images",
        HoldReason.GAP: "send the missing slices",
        HoldReason.IRREGULAR_SPACING: "send the series with even spacing, or to a pipeline that "
        "works on single images",
        HoldReason.UNEQUAL_POSITIONS: "send the instances that are missing at some positions",
        HoldReason.INDISTINCT: "send the images that share a position as series of their own",
        HoldReason.NO_VOLUME: "send it to a pipeline that works on single images",
        HoldReason.NO_PLANES: "send the slices that these images were made from",
        HoldReason.NO_PIXELS: "send the images with their pixels",
        HoldReason.PIXEL_KIND: "send grey images of a kind that is supported",
        HoldReason.SIZES: "send the images of each size as a series of their own",
        HoldReason.PIXEL_SPACINGS: "send the images of each pixel spacing as a series of their own",
        HoldReason.NODE: "put it right at the node, then retry",
        HoldReason.OTHER: "put it right at the sender, and send the series again",
    }
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
    may = reason in _RELEASABLE if releasable is None else releasable
    return Hold(reason, words, helps or _HELPS[reason], may)


def may_be_passed(reason: str) -> bool:
    """True if a release may pass over a reason, at least in some series."""
    return reason in _RELEASABLE


def released_words(reasons: Mapping[str, str]) -> str:
    """Describe in short what a release passed over, such as `released with a gap`.

    `reasons` are codes; the first is named and the others are counted, as descriptions are short.
    """
    if not reasons:
        return ""
    first = next(iter(reasons))
    label = _RELEASABLE.get(HoldReason(first), first)
    rest = len(reasons) - 1
    return f"released with {label}" + (f" and {rest} more" if rest else "")


def held_words(holds: Sequence[Hold], *, is_releasable: bool) -> str:
    """Join all reasons, each with what resolves it, and the release if it is possible."""
    words = "; ".join(dict.fromkeys(str(one) for one in holds))
    return f"{words}, or release it as it is" if is_releasable else words
