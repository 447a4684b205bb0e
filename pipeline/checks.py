"""Checks of results before sending, on what is read back from the written files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import OutputError
from core.job import OutputInstance
from imaging.geometry.plane import corner_shift_mm, plane_of
from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import Contour, StructureSet
from imaging.rtstruct.writer import Masks
from imaging.seg.reader import SegmentationContent, SegmentFrame

_FEWEST_POINTS = 3
_PLANE_TOLERANCE_MM = 0.01
_EDGE_TOLERANCE_PIXELS = 0.01


def check_structure_set(structure_set: StructureSet, headers: Sequence[Header]) -> None:
    """Check that each contour refers to an instance of the series and lies on its image.

    Raises:
        OutputError: a contour does not, or there is none at all.
    """
    by_image = {header.image: header for header in headers}
    contours = [(roi.name, one) for roi in structure_set.rois for one in roi.contours]
    if not contours:
        names = ", ".join(roi.name for roi in structure_set.rois)
        raise OutputError(f"None of {names} was found on {len(headers)} images: nothing to send")
    for name, contour in contours:
        header = by_image.get(contour.image)
        if header is None:
            raise OutputError(
                f"A contour of {name} refers to instance {contour.referenced_sop_instance_uid}, "
                "which is not in the series"
            )
        _check_on_image(name, contour, header)


def check_segmentation(
    segmentation: SegmentationContent, headers: Sequence[Header], masks: Masks
) -> None:
    """Check that frames lie on their source images and are exactly the non-empty `masks`.

    `masks` are [instance, row, column] by structure name in the order of segment numbers, and in
    the order of `headers`.

    Raises:
        OutputError: a frame lies elsewhere, differs from its mask, or is missing.
    """
    index = {header.image: at for at, header in enumerate(headers)}
    names = dict(enumerate(masks, 1))  # labels may be spelled otherwise
    missing = {(name, at) for name in masks for at, one in enumerate(masks[name]) if one.any()}
    for frame in segmentation.frames:  # one at a time: all masks together can be large
        at = index.get(frame.source)
        if at is None:
            raise OutputError(f"A segment's frame refers to {frame.source[0]}, not in the series")
        _check_at_its_image(frame, headers[at])
        name = names[frame.segment_number]
        if (name, at) not in missing or not np.array_equal(frame.mask, masks[name][at]):
            raise OutputError(
                f"Segment {name} on instance {frame.source[0]} is not the mask that was found"
            )
        missing.remove((name, at))
    if missing:
        raise OutputError(f"The segmentation lacks {len(missing)} frames on which structures are")


def check_derived_series(
    outputs: Sequence[OutputInstance], sources: Sequence[Header], folder: Path
) -> None:
    """Check that there is one new instance for each source, with its own UID and in its place.

    Positions are read from the files in `folder`; `outputs` are in the order of `sources`.

    Raises:
        OutputError: instances are missing, share a UID, or lie elsewhere than their source.
    """
    uids = {output.sop_instance_uid for output in outputs}
    reused = uids & {header.sop_instance_uid for header in sources}
    if len(uids) != len(sources) or len(outputs) != len(sources) or reused:
        raise OutputError(
            f"Derived series has {len(outputs)} instances with {len(uids)} UIDs "
            f"({len(reused)} of the source), expected {len(sources)} new ones"
        )
    headers = [read_header(folder / output.path) for output in outputs]
    frames = {header.frame_of_reference_uid for header in headers}
    if len(frames) > 1:
        raise OutputError(
            f"Derived series has {len(frames)} frames of reference, expected one for a volume"
        )
    for output, header, source in zip(outputs, headers, sources, strict=True):
        shift_mm = corner_shift_mm(header, source)
        if not shift_mm <= _PLANE_TOLERANCE_MM:  # NaN fails too
            raise OutputError(
                f"Derived instance {output.sop_instance_uid} lies {shift_mm:.3f} mm beside its "
                f"source {source.sop_instance_uid}"
            )


def _check_at_its_image(frame: SegmentFrame, header: Header) -> None:
    shift_mm = corner_shift_mm(frame.place, header)
    if not shift_mm <= _PLANE_TOLERANCE_MM:  # NaN fails too
        raise OutputError(
            f"A segment's frame lies {shift_mm:.3f} mm beside instance {header.sop_instance_uid}"
        )


def _check_on_image(name: str, contour: Contour, header: Header) -> None:
    if len(contour.points_mm) < _FEWEST_POINTS:
        raise OutputError(
            f"A contour of {name} on instance {header.sop_instance_uid} has "
            f"{len(contour.points_mm)} points, expected {_FEWEST_POINTS} or more"
        )
    pixels, distances_mm = plane_of(header).to_pixels(contour.points_mm)
    farthest_mm = float(np.abs(distances_mm).max())
    if not farthest_mm <= _PLANE_TOLERANCE_MM:  # NaN fails too
        raise OutputError(
            f"A contour of {name} lies {farthest_mm:.3f} mm off instance {header.sop_instance_uid}"
        )
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    edge = np.array([header.columns, header.rows]) - 0.5 + _EDGE_TOLERANCE_PIXELS
    if not ((low >= -0.5 - _EDGE_TOLERANCE_PIXELS).all() and (high <= edge).all()):
        raise OutputError(
            f"A contour of {name} leaves the image of instance {header.sop_instance_uid}"
        )
