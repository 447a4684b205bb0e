"""Checks of returned segmentations against the images that were sent."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from core.errors import GeometryError, SegmentationError
from imaging.geometry.plane import corner_shift_mm
from imaging.instances.header import Header
from imaging.seg.reader import SegmentationContent, SegmentFrame, read_segmentation

SEGMENTATION_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
_TOLERANCE_MM = 0.01


def segmentation_faults(path: Path, sent: Mapping[str, Header]) -> Iterator[str]:
    """Faults of the segmentation in the file `path`, as text."""
    try:
        content = read_segmentation(path)
    except SegmentationError as error:
        yield str(error)
        return
    if not any(frame.mask.any() for frame in content.frames):
        yield f"segmentation {content.header.sop_instance_uid} has no voxel"
    for frame in content.frames:
        yield from _frame_faults(content, frame, sent)


def _frame_faults(
    content: SegmentationContent, frame: SegmentFrame, sent: Mapping[str, Header]
) -> Iterator[str]:
    words = f"a frame of segment {frame.segment_number} in {content.header.sop_instance_uid}"
    uid, number = frame.source
    source = sent.get(uid)
    if frame.segment_number not in content.labels:
        yield f"{words}: that segment has no description"
    if source is None:
        yield f"{words} refers to instance {uid}, which was not sent"
    elif source.frame_of_reference_uid not in ("", content.header.frame_of_reference_uid):
        yield f"{words} is in another frame of reference than its source"
    elif (frame.place.rows, frame.place.columns) != (source.rows, source.columns):
        yield f"{words} has another size than its source"
    elif number is None:
        yield from _place_faults(words, frame, source)


def _place_faults(words: str, frame: SegmentFrame, source: Header) -> Iterator[str]:
    try:
        shift_mm = corner_shift_mm(frame.place, source)
    except GeometryError as error:
        yield str(error)
        return
    if shift_mm > _TOLERANCE_MM:
        yield f"{words} lies {shift_mm:.3f} mm beside its source, expected {_TOLERANCE_MM}"
