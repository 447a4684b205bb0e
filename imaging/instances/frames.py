"""Frames of enhanced multi-frame instances as images of their own (PS3.3 C.7.6.16).

Position, orientation, spacing, time and rescale of a frame are in functional groups, shared or
per frame; a per-frame value takes precedence.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset

from core.errors import NotADataSetError, PixelError
from imaging.enhanced.classes import SINGLE_FRAME_CLASSES
from imaging.enhanced.functional_groups import PER_FRAME, frame_groups, macro_attributes
from imaging.geometry.distinctions import distinctions_of_frame
from imaging.instances.element_words import told_instance
from imaging.instances.header import Header, header_of, read_with
from imaging.instances.pages import page_of_frame
from imaging.pixels.rescale import rescale_of


def read_headers(path: Path) -> tuple[Header, ...]:
    """Read the headers of the images in the file `path`: one, or one per frame if it is enhanced.

    Raises:
        NotADataSetError: as `header.read_header`, or the number of per-frame functional groups is
            not NumberOfFrames.
    """
    return read_with(path, _headers_of)


def _headers_of(data_set: FileDataset, path: Path) -> tuple[Header, ...]:
    whole = header_of(data_set, path)
    fault = _count_fault(data_set)
    if fault:
        raise NotADataSetError(f"{path.name}: {fault}")
    if not has_frames(data_set, whole):
        return (whole,)
    groups = (frame_groups(data_set, number) for number in range(1, whole.number_of_frames + 1))
    return tuple(_frame_header(whole, number, flat) for number, flat in enumerate(groups, 1))


def rescaling(data_set: Dataset) -> Iterator[tuple[float, float]]:
    """Yield (RescaleSlope, RescaleIntercept) of each frame.

    Where the functional groups have none, the instance's own values are taken.

    Raises:
        PixelError: an unusable slope or intercept, or the number of per-frame functional groups
            is not NumberOfFrames.
    """
    fault = _count_fault(data_set)
    if fault:
        raise PixelError(fault)
    for number in range(1, int(data_set.get("NumberOfFrames") or 1) + 1):
        flat = frame_groups(data_set, number)
        is_per_frame = "RescaleSlope" in flat or "RescaleIntercept" in flat
        yield rescale_of(
            flat if is_per_frame else data_set,
            f"{told_instance(data_set)}, frame {number}",
        )


def has_frames(data_set: Dataset, whole: Header) -> bool:
    """True if functional groups, not the instance itself, give the position of its images.

    Single-frame instances may contain an empty functional group; these count as single frames.
    """
    if not data_set.get(PER_FRAME):
        return False
    if whole.number_of_frames != 1 or whole.image_position_mm is None:
        return True
    is_single = whole.sop_class_uid in SINGLE_FRAME_CLASSES.values()
    return not is_single and "ImagePositionPatient" in macro_attributes(data_set, 1)


def _count_fault(data_set: Dataset) -> str:
    """Message if the number of per-frame functional groups is not NumberOfFrames; else empty."""
    stated, items = int(data_set.get("NumberOfFrames") or 1), len(data_set.get(PER_FRAME) or ())
    if items in (0, stated):
        return ""
    return (
        f"{told_instance(data_set)}: NumberOfFrames {stated}, but {items} items in "
        f"{PER_FRAME}, expected one for each frame"
    )


def _frame_header(whole: Header, number: int, flat: Dataset) -> Header:
    placed = whole.with_image_plane(flat)
    return replace(
        placed,
        frame_number=number,
        page=page_of_frame(whole.page, flat),
        instance_number=number,
        distinctions=distinctions_of_frame(whole.distinctions, flat, whole.instance_number),
    )
