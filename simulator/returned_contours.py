"""Checks of a returned structure set against the images that were sent.

This module reads the structure set by itself, element by element, so that faults of the project's
writer and reader do not stay hidden.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from core.errors import GeometryError
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.rtstruct.planes import PlacedContour, choose_planes

STRUCTURE_SET_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
PLANE_TOLERANCE_MM = 0.01
"""Largest accepted distance of a point from its image plane (DS has 16 characters)."""
BORDER_TOLERANCE_PIXELS = 0.01

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR")

Polygon = npt.NDArray[np.float64]
Sent = Mapping[str, Header]
"""Headers of the sent instances, by SOP Instance UID."""
Contours = dict[str, dict[str, list[Polygon]]]
"""ROI name to SOP Instance UID to polygons (n, 2) as (column, row), all of one plane."""
_Placed = dict[str, list[PlacedContour]]


@dataclass(slots=True)
class ReturnedContours:
    """Contours of a structure set, and their faults as text."""

    contours: Contours = field(default_factory=dict)
    reference_faults: list[str] = field(default_factory=list)
    place_faults: list[str] = field(default_factory=list)
    farthest_mm: float = 0.0
    """The largest distance of a point from the plane of its image."""


def read_returned_contours(data_set: Dataset, sent: Sent) -> ReturnedContours:
    """Read all contours on images among `sent`; others are faults.

    If contours of several planes refer to one image, those of the nearest plane count (of two
    equally near ones, the lower); the others, which lie off their image, are faults.
    """
    returned = ReturnedContours()
    returned.reference_faults += _frame_faults(data_set, sent)
    names = _roi_names(data_set)
    placed: dict[str, _Placed] = {}
    for roi in _items(data_set, "ROIContourSequence"):
        number = str(roi.get("ReferencedROINumber", ""))
        if number not in names:
            returned.reference_faults.append(f"contours of ROI {number}, which has no name")
            continue
        by_instance = placed.setdefault(names[number], {})
        for index, contour in enumerate(_items(roi, "ContourSequence"), start=1):
            _place(contour, sent, by_instance, (returned, f"contour {index} of {names[number]}"))
    for name in (*placed, *names.values()):
        returned.contours.setdefault(name, _nearest(placed.get(name, {})))
    return returned


def _nearest(by_instance: _Placed) -> dict[str, list[Polygon]]:
    return {
        uid: [one.pixels for one in choose_planes(contours).planes[0]]
        for uid, contours in by_instance.items()
    }


def _roi_names(data_set: Dataset) -> dict[str, str]:
    rois = _items(data_set, "StructureSetROISequence")
    return {str(roi.get("ROINumber", "")): str(roi.get("ROIName", "")).strip() for roi in rois}


def _frame_faults(data_set: Dataset, sent: Sent) -> Iterator[str]:
    frames = {}
    for frame in _items(data_set, "ReferencedFrameOfReferenceSequence"):
        uid = str(frame.get("FrameOfReferenceUID", ""))
        frames[uid] = frame
        for study in _items(frame, "RTReferencedStudySequence"):
            yield from _study_faults(study, uid, sent)
    if not frames:
        yield "no ReferencedFrameOfReferenceSequence"
    for roi in _items(data_set, "StructureSetROISequence"):
        uid = str(roi.get("ReferencedFrameOfReferenceUID", ""))
        if uid not in frames:
            yield f"ROI {roi.get('ROINumber')} refers to frame of reference {uid}, not listed"


def _study_faults(study: Dataset, frame_uid: str, sent: Sent) -> Iterator[str]:
    study_uid = str(study.get("ReferencedSOPInstanceUID", ""))
    if study_uid not in {header.study_instance_uid for header in sent.values()}:
        yield f"refers to study {study_uid}, which was not sent"
    for series in _items(study, "RTReferencedSeriesSequence"):
        series_uid = str(series.get("SeriesInstanceUID", ""))
        for image in _items(series, "ContourImageSequence"):
            yield from _image_faults(image, series_uid, frame_uid, sent)


def _image_faults(image: Dataset, series_uid: str, frame_uid: str, sent: Sent) -> Iterator[str]:
    uid = str(image.get("ReferencedSOPInstanceUID", ""))
    header = sent.get(uid)
    if header is None:
        yield f"refers to instance {uid}, which was not sent"
        return
    if header.series_instance_uid != series_uid:
        yield f"puts instance {uid} into series {series_uid}, sent in {header.series_instance_uid}"
    if header.sop_class_uid != str(image.get("ReferencedSOPClassUID", "")):
        yield f"refers to instance {uid} with another SOP class"
    if header.frame_of_reference_uid not in ("", frame_uid):
        yield (
            f"puts instance {uid} into frame of reference {frame_uid}, "
            f"sent in {header.frame_of_reference_uid}"
        )


def _place(
    contour: Dataset,
    sent: Sent,
    by_instance: _Placed,
    context: tuple[ReturnedContours, str],
) -> None:
    returned, name = context
    images = _items(contour, "ContourImageSequence")
    uids = [str(image.get("ReferencedSOPInstanceUID", "")) for image in images]
    if len(uids) != 1 or uids[0] not in sent:
        found = ", ".join(uids) or "no instance"
        returned.reference_faults.append(f"{name} refers to {found}, expected one that was sent")
        return
    points = _points(contour)
    if points is None:
        returned.place_faults.append(f"{name} is no closed planar contour of three or more points")
        return
    fault, on_image = _on_image(points, sent[uids[0]])
    if fault:
        returned.place_faults.append(f"{name} {fault}")
    if on_image is not None:
        distance_mm = float(np.abs(on_image.offsets_mm).max())
        returned.farthest_mm = max(returned.farthest_mm, distance_mm)
        by_instance.setdefault(uids[0], []).append(on_image)


def _points(contour: Dataset) -> Polygon | None:
    """Points (n, 3) in LPS mm, or None if this is not a closed planar contour."""
    try:
        values = np.array(_numbers(contour), dtype=np.float64)
    except (TypeError, ValueError):
        return None
    count = contour.get("NumberOfContourPoints")
    is_planar = str(contour.get("ContourGeometricType", "")) in _CLOSED
    if not is_planar or len(values) < 9 or count is None or len(values) != 3 * int(count):
        return None
    return values.reshape(-1, 3) if np.isfinite(values).all() else None


def _numbers(contour: Dataset) -> list[Any]:
    """ContourData as text, from the raw bytes if possible: pydicom would make an object of each."""
    element = contour.get_item("ContourData")
    value: Any = None if element is None else element.value
    if isinstance(value, bytes):
        return value.strip(b" \0").split(b"\\")
    return list(value or ())


def _on_image(points_mm: Polygon, header: Header) -> tuple[str, PlacedContour | None]:
    """Fault of the contour's position, or "", and the contour on the image."""
    try:
        placed = PlacedContour.from_points(0, *plane_of(header).to_pixels(points_mm))
    except GeometryError as error:
        return f"lies on an image without a place: {error}", None
    distance_mm = float(np.abs(placed.offsets_mm).max())
    uid, fault = header.sop_instance_uid, ""
    if distance_mm > PLANE_TOLERANCE_MM:
        fault = (
            f"lies {distance_mm:.3f} mm off the plane of instance {uid}, "
            f"expected at most {PLANE_TOLERANCE_MM} mm"
        )
    outermost = np.array([header.columns, header.rows]) - 0.5 + BORDER_TOLERANCE_PIXELS
    low, high = placed.pixels.min(axis=0), placed.pixels.max(axis=0)
    if (low < -0.5 - BORDER_TOLERANCE_PIXELS).any() or (high > outermost).any():
        fault = f"reaches beyond the border of instance {uid}"
    return fault, placed


def _items(data_set: Dataset, keyword: str) -> list[Any]:
    return list(data_set.get(keyword) or ())
