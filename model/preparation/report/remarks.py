"""Remarks of a preparation, and the report of each patient."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Kinds of remarks, in the words of the report (also stored in data sets)."""

    NO_IMAGE = "contours without image"
    OUTSIDE = "contours that cover no pixel of their image"
    BEYOND = "contours that reach beyond their image"
    EMPTY = "empty masks"
    CONTRADICTION = "contours that contradict each other"
    SAME_CONTOURS = "contours of one patient at another"
    NO_INNER = "o-contours without an i-contour"
    UNREADABLE_CONTOUR = "contours that are not numbers"
    OPEN = "open contours"
    DANGLING = "contours that refer to no image there, placed by where they lie"
    PASSED_OVER = "contours on slices for which another plane of theirs is nearer"
    SKIPPED = "structures that skip slices between drawn ones, unknown there"
    UNUSUAL = "unusual contours"
    NO_MASK = "images without mask"
    UNREADABLE_IMAGE = "damaged images"
    NO_SLICE = "images that are no slices of their series"
    UNSUITABLE_SERIES = "series that cannot be used"
    SHAPE = "masks that do not fit their image"
    LINK = "links to nothing"
    NO_SERIES = "structure sets without their series"
    BY_FRAME = "structure sets used by frame of reference, as their series is not there"
    OTHER_PATIENT = "structure sets of other patients than their images"
    WRITTEN_OTHERWISE = "structure sets that write their patient otherwise than the images"
    CUT_NAME = "structures with names of more than 16 characters, cut"
    NO_SET = "images of series without structure set"
    UNREADABLE_SET = "damaged structure sets"
    SEVERAL_SETS = "structures in several structure sets"
    NOT_CHOSEN = "structures that the table does not name"
    ASSUMED = "assumed, as the input does not say"
    TWO_PATIENTS = "two patients with one id"
    ONE_PATIENT = "one patient under two keys"
    OTHER_CONTENT = "patients who were there with other content"
    UNREADABLE_FILE = "files that are no whole DICOM"
    KEY = "folder names that could name a patient"
    FAILED = "patients that could not be prepared"


@dataclass(frozen=True, slots=True)
class Remark:
    """Remark about an image, series or patient."""

    kind: Kind
    key: str
    """`<patient>/<number>`, the patient's key, or a file's path in the input."""
    words: str
    left_out: bool = True
    """True if something was left out of the data set for this reason."""
    shift_px: tuple[float, float] | None = None
    """Shift of an outer contour against its inner one, in pixels: columns, rows."""
    count: int = 1
    """Number of contours or files concerned."""


@dataclass(slots=True)
class PatientReport:
    """Counts and findings of one patient; also stored in the data set, as JSON."""

    patient: str
    source: str
    images: int = 0
    """Images of the patient, with or without contours."""
    drawn_images: int = 0
    """Images in the data set with at least one structure."""
    empty_images: int = 0
    """Images in the data set known to have none of the structures."""
    contours: int = 0
    """Contour files, contours of selected structures, or masks."""
    matched: int = 0
    """Number of these in the data set."""
    structures: dict[str, int] = field(default_factory=dict)
    """Number of images on which each structure has a pixel."""
    findings: list[Remark] = field(default_factory=list)
    content_digest: str = ""
    """SHA-256 over the patient's files and the options."""
    contour_digests: tuple[str, ...] = ()
    """SHA-256 of each contour's points: equal ones at two patients are a mistake."""

    @property
    def undrawn_images(self) -> int:
        """Images without contours."""
        return max(0, self.images - self.drawn_images - self.empty_images)

    def values(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def report_of(values: Mapping[str, Any]) -> PatientReport:
    """Restore a report from `PatientReport.values`.

    Raises:
        TypeError: a value is missing or unknown.
        ValueError: a kind of remark is unknown.
        KeyError: a value of a remark is missing.
    """
    report = PatientReport(**values)
    report.findings = [_remark(one) for one in values["findings"]]
    report.contour_digests = tuple(report.contour_digests)
    return report


def counts_of(remarks: Sequence[Remark]) -> dict[str, int]:
    """Number of contours, images or files by kind of remark, in the order of `Kind`."""
    counts: Counter[Kind] = Counter()
    for one in remarks:
        counts[one.kind] += one.count
    return {kind.value: counts[kind] for kind in Kind if counts[kind]}


def _remark(values: Mapping[str, Any]) -> Remark:
    shift = values["shift_px"]
    changed = {"kind": Kind(values["kind"]), "shift_px": None if shift is None else tuple(shift)}
    return Remark(**{**values, **changed})
