"""Image series in memory, pixels included, ordered along the slices, for conversion to HDF5."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from core.errors import GeometryError, NotADataSetError
from imaging.geometry.common_plane import check_images, common_plane
from imaging.geometry.placement import RULES_2D, RULES_3D, place
from imaging.geometry.plane import has_valid_plane, plane_of
from imaging.instances.element_words import told_instance
from imaging.instances.frames import has_frames
from imaging.instances.header import GREY, HEADER_TAGS, Header, header_of
from imaging.instances.read_errors import BROKEN
from imaging.instances.reading_faults import explain_data_set
from imaging.pixels.pixel_format import PixelFormat, format_of
from imaging.series.series import check_one_series, is_known_non_image
from imaging.series.set_aside import Kept, set_aside
from imaging.series.volume import affine_of


@dataclass(frozen=True, slots=True)
class ImageSeries:
    """Image series; all tuples are in the order of the slices."""

    data_sets: tuple[FileDataset, ...]
    headers: tuple[Header, ...]
    formats: tuple[PixelFormat, ...]
    affine_mm: npt.NDArray[np.float64] | None
    """(4, 4): index (slice, row, column, 1) to LPS mm; None if the slices are not a grid."""
    slice_spacing_mm: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    headers: Sequence[Header]
    slice_spacing_mm: float | None
    is_grid: bool
    warnings: tuple[str, ...]


def order_series(data_sets: Sequence[FileDataset]) -> ImageSeries:
    """Order instances along their normal, phase after phase if several share each position.

    Slices that are not a grid are accepted with a warning, as nothing is computed across them.
    Slices of several orientations are ordered by InstanceNumber.

    Raises:
        NotADataSetError: an instance without the UIDs that identify it.
        SeriesError: not one series of one patient.
        GeometryError: an instance without a position in the patient, or images of several sizes.
        PixelError: unsupported pixels.
    """
    by_uid = {}
    headers = []
    for data_set in data_sets:
        headers.append(_header(data_set))
        by_uid[headers[-1].sop_instance_uid] = data_set
    headers.sort(key=lambda h: (h.instance_number, h.sop_instance_uid))  # not the input's order
    warnings = check_one_series(headers)
    kept = set_aside(headers)
    headers = _storable(headers, kept)
    for header in headers:
        _check_single_frame(header, by_uid[header.sop_instance_uid])
    check_images(headers)
    for header in headers:
        _check_hdf5_can_hold(header)
    order = _order(headers, kept)
    ordered = tuple(by_uid[header.sop_instance_uid] for header in order.headers)
    return ImageSeries(
        data_sets=ordered,
        headers=tuple(order.headers),
        formats=tuple(format_of(data_set) for data_set in ordered),
        affine_mm=affine_of(order.headers) if order.is_grid else None,
        slice_spacing_mm=order.slice_spacing_mm,
        warnings=(*warnings, *order.warnings),
    )


def _check_hdf5_can_hold(header: Header) -> None:
    """Check that the HDF5 reader accepts what would be written (docs/hdf5.md)."""
    if is_known_non_image(header.sop_class_uid):
        raise GeometryError(
            f"Instance {header.sop_instance_uid}: {UID(header.sop_class_uid).name}, expected an "
            "image storage class"
        )
    for keyword, numbers in (
        ("PixelSpacing", header.pixel_spacing_mm),
        ("ImagePositionPatient", header.image_position_mm),
    ):
        if numbers is not None and not all(math.isfinite(number) for number in numbers):
            raise GeometryError(
                f"Instance {header.sop_instance_uid}: {keyword} {numbers} mm, expected finite "
                "numbers"
            )
    plane_of(header)


def _check_single_frame(header: Header, data_set: FileDataset) -> None:
    if header.number_of_frames > 1 or has_frames(data_set, header):
        raise GeometryError(
            f"Instance {header.sop_instance_uid}: {header.number_of_frames} frames, expected "
            "single-frame instances: multi-frame ones, or one with functional groups, cannot be "
            "converted to HDF5 and back"
        )


def _header(data_set: FileDataset) -> Header:
    name = told_instance(data_set)
    try:
        return header_of(data_set, Path(name))
    except BROKEN as error:
        words = explain_data_set(data_set, HEADER_TAGS)
        raise NotADataSetError(f"{name}: no readable DICOM instance: {words}") from error


def _storable(headers: Sequence[Header], kept: Kept) -> list[Header]:
    """Slices, and images that were set aside but have the same form as the slices."""
    if not kept.headers:
        return list(headers)
    images, form = {one.image for one in kept.headers}, _form(kept.headers[0])
    return [
        one
        for one in headers
        if one.image in images or (_form(one) == form and has_valid_plane(one))
    ]


def _form(header: Header) -> tuple[object, ...]:
    grey = header.photometric_interpretation in GREY
    return header.rows, header.columns, header.samples_per_pixel, header.number_of_frames, grey


def _order(headers: Sequence[Header], kept: Kept) -> _Order:
    if len(kept.headers) < len(headers):
        return _Order(_along_normal(headers), None, is_grid=False, warnings=kept.warnings)
    order = _in_space(headers)
    return replace(order, warnings=(*kept.warnings, *order.warnings))


def _in_space(headers: Sequence[Header]) -> _Order:
    try:
        placement = place(headers, RULES_3D)
    except GeometryError as error:
        return _order_without_grid(headers, f"{error}; so there is no affine")
    is_grid = len(placement.phases) == 1
    return _Order(placement.headers, placement.slice_spacing_mm, is_grid, placement.warnings)


def _order_without_grid(headers: Sequence[Header], reason: str) -> _Order:
    try:
        placement = place(headers, RULES_2D)
    except GeometryError:
        return _Order(_along_normal(headers), None, is_grid=False, warnings=(reason,))
    return _Order(placement.headers, placement.slice_spacing_mm, is_grid=False, warnings=(reason,))


def _along_normal(headers: Sequence[Header]) -> list[Header]:
    numbered = sorted(headers, key=lambda h: (h.instance_number, h.sop_instance_uid))
    try:
        normal = common_plane(headers).normal
    except GeometryError:
        return numbered
    return sorted(
        numbered, key=lambda h: (float(np.asarray(h.image_position_mm) @ normal), h.moment)
    )
