"""What was noticed while a data set was made: values with words, counted in the report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a remark is about, in the words of the report."""

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
    """One thing about one image, series or patient."""

    kind: Kind
    key: str
    """`<patient>/<number>`, or the patient's key, or a file's place in the input."""
    words: str
    left_out: bool = True
    """Whether something is not in the data set because of it."""
    shift_px: tuple[float, float] | None = None
    """Of an outer contour against its inner one: columns, rows."""
    count: int = 1
    """How many contours or files it is about."""


@dataclass(slots=True)
class PatientReport:
    """What a patient brought; also kept in the data set, as JSON."""

    patient: str
    source: str
    images: int = 0
    """All that belong to the patient, drawn on or not."""
    drawn_images: int = 0
    """In the data set, with at least one structure."""
    empty_images: int = 0
    """In the data set, known to hold none of the structures."""
    contours: int = 0
    """Contour files, contours of chosen structures, or channels of masks."""
    matched: int = 0
    """Of these, in the data set."""
    structures: dict[str, int] = field(default_factory=dict)
    """On how many images each structure has a pixel."""
    findings: list[Remark] = field(default_factory=list)
    content_digest: str = ""
    """SHA-256 over the files and options that the patient was made from."""
    contour_digests: tuple[str, ...] = ()
    """SHA-256 of each contour's points: the same at two patients is a mistake."""

    @property
    def undrawn_images(self) -> int:
        """Images on which nobody drew."""
        return max(0, self.images - self.drawn_images - self.empty_images)

    def values(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def report_of(values: Mapping[str, Any]) -> PatientReport:
    """The inverse of `PatientReport.values`; raises TypeError, ValueError or KeyError."""
    report = PatientReport(**values)
    report.findings = [_remark(one) for one in values["findings"]]
    report.contour_digests = tuple(report.contour_digests)
    return report


def counts_of(remarks: Sequence[Remark]) -> dict[str, int]:
    """How many contours, images or files each kind is about, in the order of the kinds."""
    counts: Counter[Kind] = Counter()
    for one in remarks:
        counts[one.kind] += one.count
    return {kind.value: counts[kind] for kind in Kind if counts[kind]}


def _remark(values: Mapping[str, Any]) -> Remark:
    shift = values["shift_px"]
    changed = {"kind": Kind(values["kind"]), "shift_px": None if shift is None else tuple(shift)}
    return Remark(**{**values, **changed})
