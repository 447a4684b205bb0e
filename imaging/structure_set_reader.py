"""An RT Structure Set of any maker to contours, and to masks on a series."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import RTStructureSetStorage

from core.errors import ContourError
from imaging.contour_placement import Placement
from imaging.header import Header, patient_key
from imaging.masks import polygons_to_mask
from imaging.plane import Points

Mask = npt.NDArray[np.bool_]

_CONTOUR_DATA = Tag("ContourData")
_FEWEST_POINTS = 3
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


@dataclass(frozen=True, slots=True)
class Contour:
    """One contour."""

    points_mm: Points
    """(n, 3) LPS mm."""
    geometric_type: str
    referenced_sop_instance_uid: str
    """Empty where it refers to none."""


@dataclass(frozen=True, slots=True)
class RoiContours:
    """One structure."""

    number: int
    name: str
    color_rgb: tuple[int, int, int] | None
    interpreted_type: str
    generation_algorithm: str
    frame_of_reference_uid: str
    contours: tuple[Contour, ...]


@dataclass(frozen=True, slots=True)
class StructureSet:
    """What a structure set holds; UIDs as they stand, dangling or not."""

    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    patient_key: str
    frame_of_reference_uids: tuple[str, ...]
    referenced_sop_instance_uids: tuple[str, ...]
    """Of the images, from the top of the object and from its contours; each once."""
    label: str
    approval_status: str
    rois: tuple[RoiContours, ...]


def read_structure_set(path: Path) -> StructureSet:
    """The structure set in the file `path`.

    Raises:
        ContourError: not a readable RT Structure Set, or a contour's numbers are not points.
    """
    try:
        data_set = pydicom.dcmread(path)
        if data_set.get("SOPClassUID") != RTStructureSetStorage:
            raise ContourError(f"{path.name}: not an RT Structure Set")
        return _structure_set(data_set)
    except (InvalidDicomError, OSError, EOFError, AttributeError, ValueError, KeyError) as error:
        raise ContourError(f"{path.name}: not a readable RT Structure Set ({error})") from error


def to_masks(
    structure_set: StructureSet, headers: Sequence[Header]
) -> tuple[dict[str, Mask], list[str]]:
    """Each ROI's mask [instance, row, column] in the order of `headers`, and warnings in words.

    A contour belongs to the instance that it refers to. Where that is not among `headers`, or more
    than half the distance between slices away, the nearest plane within that distance takes it,
    unless several instances lie there. Contours on one instance follow the even-odd rule. Every
    contour that has no place is named in a warning. A second ROI of the same name gets its number
    behind it. Vertices are taken as they are: makers that draw through the centres of the outermost
    pixels (rt-utils before 1.3) lose half a pixel all around, which the file does not tell.

    Raises:
        ContourError: the instances differ in rows and columns.
        GeometryError: an instance has no place in the patient.
    """
    if len({(header.rows, header.columns) for header in headers}) != 1:
        raise ContourError(
            "A mask needs at least one instance, and the same rows and columns in all"
        )
    placement = Placement(headers)
    masks: dict[str, Mask] = {}
    warnings: list[str] = []
    for roi in structure_set.rois:
        name = roi.name if roi.name not in masks else f"{roi.name} ({roi.number})"
        if name != roi.name:
            warnings.append(f"ROI {roi.number}: its name {roi.name!r} is taken, so it is {name!r}")
        masks[name] = _roi_mask(roi, headers, placement, warnings)
    return masks, warnings


def _roi_mask(
    roi: RoiContours, headers: Sequence[Header], placement: Placement, warnings: list[str]
) -> Mask:
    shape = (headers[0].rows, headers[0].columns)
    polygons: dict[int, list[Points]] = {}
    counts: Counter[str] = Counter()
    for number, contour in enumerate(roi.contours, 1):
        place = placement.place(
            contour.points_mm, contour.referenced_sop_instance_uid, roi.frame_of_reference_uid
        )
        reason = place.reason or _unfit(contour)
        if place.index is None or reason:
            warnings.append(f"ROI {roi.name!r}, contour {number}: not placed, {reason}")
            continue
        pixels, _ = placement.planes[place.index].to_pixels(contour.points_mm)
        counts["refer to no instance of the series near them, placed by position"] += (
            place.by_position
        )
        counts["reach outside the image, cut off there"] += _is_outside(pixels, shape)
        polygons.setdefault(place.index, []).append(pixels)
    for what, count in counts.items():
        if count:
            warnings.append(f"ROI {roi.name!r}: {count} of {len(roi.contours)} contours {what}")
    mask = np.zeros((len(headers), *shape), dtype=bool)
    for index, on_instance in polygons.items():
        mask[index] = polygons_to_mask(on_instance, shape)
    return mask


def _unfit(contour: Contour) -> str:
    if contour.geometric_type not in _CLOSED:
        return f"its type is {contour.geometric_type or 'missing'}, expected CLOSED_PLANAR"
    if len(contour.points_mm) < _FEWEST_POINTS:
        return f"it has {len(contour.points_mm)} points, expected at least 3"
    return ""


def _is_outside(pixels: Points, shape: tuple[int, int]) -> bool:
    columns_rows = np.array([shape[1], shape[0]])
    return bool((pixels < -0.51).any() or (pixels > columns_rows - 0.49).any())


def _structure_set(data_set: Dataset) -> StructureSet:
    frames = _items(data_set, "ReferencedFrameOfReferenceSequence")
    rois = tuple(_rois(data_set))
    images = [*_referenced_images(frames)]
    images += [contour.referenced_sop_instance_uid for roi in rois for contour in roi.contours]
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
    )


def _referenced_images(frames: Sequence[Dataset]) -> Iterator[str]:
    for frame in frames:
        for study in _items(frame, "RTReferencedStudySequence"):
            for series in _items(study, "RTReferencedSeriesSequence"):
                for image in _items(series, "ContourImageSequence"):
                    yield _text(image, "ReferencedSOPInstanceUID")


def _rois(data_set: Dataset) -> Iterator[RoiContours]:
    drawn = _by_number(data_set, "ROIContourSequence")
    observed = _by_number(data_set, "RTROIObservationsSequence")
    for roi in _items(data_set, "StructureSetROISequence"):
        number = int(roi.ROINumber)
        contours = drawn.get(number, Dataset())
        yield RoiContours(
            number=number,
            name=_text(roi, "ROIName"),
            color_rgb=_color(contours),
            interpreted_type=_text(observed.get(number, Dataset()), "RTROIInterpretedType"),
            generation_algorithm=_text(roi, "ROIGenerationAlgorithm"),
            frame_of_reference_uid=_text(roi, "ReferencedFrameOfReferenceUID"),
            contours=tuple(_contour(item) for item in _items(contours, "ContourSequence")),
        )


def _contour(item: Dataset) -> Contour:
    images = _items(item, "ContourImageSequence")
    return Contour(
        points_mm=_points_mm(item),
        geometric_type=_text(item, "ContourGeometricType"),
        referenced_sop_instance_uid=_text(images[0], "ReferencedSOPInstanceUID") if images else "",
    )


def _points_mm(item: Dataset) -> Points:
    """(n, 3), from the bytes: pydicom would make an object of every number."""
    element = item.get_item(_CONTOUR_DATA) if _CONTOUR_DATA in item else None
    value: Any = b"" if element is None or element.value is None else element.value
    if isinstance(value, bytes):
        text = value.strip(b" \0")
        value = text.split(b"\\") if text else []
    numbers = np.array([float(number) for number in value])
    if numbers.size % 3 or not np.isfinite(numbers).all():
        raise ContourError(
            f"ContourData of {numbers.size} numbers, expected finite x, y, z triples"
        )
    return numbers.reshape(-1, 3)


def _by_number(data_set: Dataset, keyword: str) -> dict[int, Dataset]:
    return {int(item.ReferencedROINumber): item for item in _items(data_set, keyword)}


def _items(data_set: Dataset, keyword: str) -> list[Dataset]:
    return list(data_set.get(keyword) or [])


def _text(data_set: Dataset, keyword: str) -> str:
    return str(data_set.get(keyword) or "")


def _color(contours: Dataset) -> tuple[int, int, int] | None:
    color = contours.get("ROIDisplayColor")
    if color is None or len(color) != 3:
        return None
    return int(color[0]), int(color[1]), int(color[2])
