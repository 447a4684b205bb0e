"""Reading of RT Structure Sets of any vendor to contours, without placing them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import RTStructureSetStorage

from core.errors import ContourError, NotADataSetError
from imaging.contours.findings import Finding, FindingKind
from imaging.geometry.plane import Points
from imaging.instances.header import patient_key
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file
from imaging.instances.whole import check_not_truncated
from imaging.rtstruct.placement import Reference
from imaging.rtstruct.plain_contours import PlainContour, plain_contours
from imaging.rtstruct.plain_numbers import read_numbers

_CONTOUR_DATA, _CONTOUR_SEQUENCE = Tag("ContourData"), Tag("ContourSequence")

_MANDATORY = ("StructureSetROISequence", "ROIContourSequence")


@dataclass(frozen=True, slots=True)
class Contour:
    """Contour of a structure set."""

    points_mm: Points
    """(n, 3) LPS mm."""
    geometric_type: str
    references: tuple[Reference, ...] = ()
    """Images that the contour refers to: usually one; empty if the writer gave none."""
    announced_points: int | None = None
    """NumberOfContourPoints, which may differ from the actual number."""

    @property
    def image(self) -> tuple[str, int | None]:
        """SOP Instance UID and frame number of the first reference, as `Header.image`."""
        first = self.references[0] if self.references else Reference("")
        return first.sop_instance_uid, first.frame_number

    @property
    def referenced_sop_instance_uid(self) -> str:
        """SOP Instance UID of the first reference; empty if there is none."""
        return self.references[0].sop_instance_uid if self.references else ""


@dataclass(frozen=True, slots=True)
class RoiContours:
    """Structure with its contours."""

    number: int
    name: str
    color_rgb: tuple[int, int, int] | None
    interpreted_type: str
    generation_algorithm: str
    frame_of_reference_uid: str
    contours: tuple[Contour, ...]
    plane_spacing_mm: float | None = None
    """Spacing of the source pixel planes, if stated (PS3.3 C.8.8.6.4)."""


@dataclass(frozen=True, slots=True)
class StructureSet:
    """Contents of a structure set; UIDs as in the file, even if they refer to nothing."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    patient_key: str
    frame_of_reference_uids: tuple[str, ...]
    referenced_sop_instance_uids: tuple[str, ...]
    """Images referred to by the frame of reference sequence and by contours; each once."""
    label: str
    approval_status: str
    rois: tuple[RoiContours, ...]
    findings: tuple[Finding, ...] = ()
    """Findings on structures whose numbers and contours do not fit together."""
    referenced_series_uids: tuple[str, ...] = ()
    """Series of the images, from the frame of reference sequence."""
    drawn_at: str = ""
    """StructureSetDate and StructureSetTime, joined; later ones sort later."""


def read_structure_set(path: Path) -> StructureSet:
    """Read the structure set in the file `path`.

    Raises:
        ContourError: the file is not a readable RT Structure Set, is truncated, lacks its ROI or
            contour sequence (PS3.3 C.8.8.5, C.8.8.6), or has ContourData that are not points.
    """
    try:
        data_set = pydicom.dcmread(path)
        if data_set.get("SOPClassUID") != RTStructureSetStorage:
            raise ContourError(f"{path.name}: not an RT Structure Set")
        check_not_truncated(data_set, path.stat().st_size)
        _check_mandatory(data_set, path.name)
        return _structure_set(data_set)
    except NotADataSetError as error:
        raise ContourError(f"{path.name}: {error}") from error
    except READING_ERRORS as error:
        words = explain_file(path, error)
        raise ContourError(f"{path.name}: not a readable RT Structure Set: {words}") from error


def _check_mandatory(data_set: Dataset, name: str) -> None:
    missing = [keyword for keyword in _MANDATORY if keyword not in data_set]
    if missing:
        raise ContourError(f"{name}: no {' and no '.join(missing)}, expected in a structure set")


def _structure_set(data_set: Dataset) -> StructureSet:
    frames = _items(data_set, "ReferencedFrameOfReferenceSequence")
    findings: list[Finding] = []
    rois = tuple(_rois(data_set, findings))
    images = [*_referenced_images(frames)]
    drawn = (contour.references for roi in rois for contour in roi.contours)
    images += [reference.sop_instance_uid for references in drawn for reference in references]
    return StructureSet(
        sop_instance_uid=_text(data_set, "SOPInstanceUID"),
        series_instance_uid=_text(data_set, "SeriesInstanceUID"),
        study_instance_uid=_text(data_set, "StudyInstanceUID"),
        patient_key=patient_key(data_set),
        frame_of_reference_uids=tuple(_text(frame, "FrameOfReferenceUID") for frame in frames),
        referenced_sop_instance_uids=tuple(dict.fromkeys(uid for uid in images if uid)),
        label=_text(data_set, "StructureSetLabel"),
        approval_status=_text(data_set, "ApprovalStatus"),
        rois=rois,
        findings=tuple(findings),
        referenced_series_uids=tuple(
            _text(series, "SeriesInstanceUID") for series in _referenced_series(frames)
        ),
        drawn_at=_text(data_set, "StructureSetDate") + _text(data_set, "StructureSetTime"),
    )


def _referenced_series(frames: Sequence[Dataset]) -> Iterator[Dataset]:
    for frame in frames:
        for study in _items(frame, "RTReferencedStudySequence"):
            yield from _items(study, "RTReferencedSeriesSequence")


def _referenced_images(frames: Sequence[Dataset]) -> Iterator[str]:
    for series in _referenced_series(frames):
        for image in _items(series, "ContourImageSequence"):
            yield _text(image, "ReferencedSOPInstanceUID")


def _rois(data_set: Dataset, findings: list[Finding]) -> Iterator[RoiContours]:
    """Yield the structures in their order, then contours whose number is not listed."""
    drawn = _by_number(data_set, "ROIContourSequence")
    observed = _by_number(data_set, "RTROIObservationsSequence")
    listed = _items(data_set, "StructureSetROISequence")
    numbers = [int(roi.ROINumber) for roi in listed]
    for at, (roi, number) in enumerate(zip(listed, numbers, strict=True)):
        before, count = numbers[:at].count(number), numbers.count(number)
        # structures of one number get the items in order, the last one all that remain
        share = slice(before, None if before == count - 1 else before + 1)
        if count > 1:
            detail = f"{len(drawn[number][share])} of {len(drawn[number])} items of contours"
            name = _text(roi, "ROIName")
            findings.append(Finding(FindingKind.NUMBER_TAKEN, number, name, detail=detail))
        yield _roi(roi, number, drawn[number][share], observed[number][share])
    for number in [number for number in drawn if number not in numbers]:
        roi = Dataset()
        roi.ROIName = f"ROI {number}"
        findings.append(Finding(FindingKind.NAMELESS, number, roi.ROIName))
        yield _roi(roi, number, drawn[number], observed[number])


def _roi(
    roi: Dataset, number: int, drawn: Sequence[Dataset], observed: Sequence[Dataset]
) -> RoiContours:
    written = (contour for one in drawn for contour in _encoded_contours(one))
    return RoiContours(
        number=number,
        name=_text(roi, "ROIName"),
        color_rgb=_color(drawn[0]) if drawn else None,
        interpreted_type=_text(observed[0], "RTROIInterpretedType") if observed else "",
        generation_algorithm=_text(roi, "ROIGenerationAlgorithm"),
        frame_of_reference_uid=_text(roi, "ReferencedFrameOfReferenceUID"),
        contours=tuple(_contours(written, number)),
        plane_spacing_mm=_plane_spacing_mm(drawn),
    )


def _plane_spacing_mm(drawn: Sequence[Dataset]) -> float | None:
    """SpacingBetweenSlices of the source pixel planes; the largest of several items."""
    found = []
    for one in drawn:
        planes = _items(one, "SourcePixelPlanesCharacteristicsSequence")
        spacing = planes[0].get("SpacingBetweenSlices") if planes else None
        if not isinstance(spacing, (int, float)) or not 0 < spacing < np.inf:
            return None
        found.append(float(spacing))
    return max(found, default=None)


def _contours(written: Iterable[PlainContour], number: int) -> Iterator[Contour]:
    """Yield contours with their points; numbers of many contours are parsed together."""
    ahead, contours = tee(written)
    numbers = read_numbers(one.data.strip(b" \0") for one in ahead)
    for at, (one, found) in enumerate(zip(contours, numbers, strict=True), 1):
        if found.size % 3 or not np.isfinite(found).all():
            raise ContourError(
                f"ROI {number}, contour {at}: ContourData of {found.size} numbers, expected finite "
                "x, y, z triples"
            )
        points = found.reshape(-1, 3)
        yield Contour(points, one.geometric_type, one.references, one.announced_points)


def _encoded_contours(drawn: Dataset) -> Iterable[PlainContour]:
    """Encoded contours of a structure, read from the bytes if these are plain, else by pydicom."""
    element = drawn.get_item(_CONTOUR_SEQUENCE) if _CONTOUR_SEQUENCE in drawn else None
    plain = plain_contours(element) if isinstance(element, RawDataElement) else None
    if plain is not None:
        return plain
    return (_contour_by_pydicom(item) for item in _items(drawn, "ContourSequence"))


def _contour_by_pydicom(item: Dataset) -> PlainContour:
    announced = item.get("NumberOfContourPoints")
    return PlainContour(
        data=_data(item),
        geometric_type=_text(item, "ContourGeometricType"),
        references=tuple(_reference(one) for one in _items(item, "ContourImageSequence")),
        announced_points=None if announced is None else int(announced),
    )


def _reference(image: Dataset) -> Reference:
    frame = image.get("ReferencedFrameNumber")
    frames = list(frame) if isinstance(frame, MultiValue) else [frame]
    number = None if frames[0] is None else int(frames[0])
    return Reference(_text(image, "ReferencedSOPInstanceUID"), number)


def _data(item: Dataset) -> bytes:
    """Remove and return ContourData as bytes: pydicom would make an object of every number."""
    element = item.get_item(_CONTOUR_DATA) if _CONTOUR_DATA in item else None
    value: Any = b"" if element is None or element.value is None else element.value
    item.pop(_CONTOUR_DATA, None)
    if isinstance(value, bytes):
        return value
    numbers = value if isinstance(value, MultiValue) else [value]
    return "\\".join(str(number) for number in numbers).encode()


def _by_number(data_set: Dataset, keyword: str) -> dict[int, list[Dataset]]:
    items = defaultdict(list)
    for item in _items(data_set, keyword):
        items[int(item.ReferencedROINumber)].append(item)
    return items


def _items(data_set: Dataset, keyword: str) -> list[Dataset]:
    return list(data_set.get(keyword) or [])


def _text(data_set: Dataset, keyword: str) -> str:
    return str(data_set.get(keyword) or "")


def _color(contours: Dataset) -> tuple[int, int, int] | None:
    """Display colour; None if it is absent or invalid, since no voxel depends on it."""
    try:
        red, green, blue = (int(one) for one in contours.get("ROIDisplayColor") or ())
    except (TypeError, ValueError):
        return None
    return red, green, blue
