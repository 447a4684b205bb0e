"""Enhanced multi-frame instances: each frame as an image of its own (PS3.3 C.7.6.16).

Position, orientation, spacing, time and rescaling of a frame stand in functional groups: shared by
all frames, or its own, which count more.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset

from core.errors import NotADataSetError, PixelError
from imaging.enhanced.classes import SINGLE_FRAME_CLASSES
from imaging.enhanced.functional_groups import PER_FRAME, frame_groups, macro_attributes
from imaging.geometry.distinctions import of_frame
from imaging.instances.header import Header, header_of, read_with
from imaging.instances.pages import page_of_frame
from imaging.pixels.rescale import rescale_of


def read_headers(path: Path) -> tuple[Header, ...]:
    """The records of the images in the file `path`: one, or one for each frame of an enhanced one.

    Raises:
        NotADataSetError: as `header.read_header`, or not as many functional groups as frames.
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
    return tuple(_of_frame(whole, number, flat) for number, flat in enumerate(groups, 1))


def rescaling(data_set: Dataset) -> Iterator[tuple[float, float]]:
    """Slope and intercept of each frame; the instance's own where no functional group has any.

    Raises:
        PixelError: a slope or intercept gives no values, or the number of frames is not that of
            their functional groups.
    """
    fault = _count_fault(data_set)
    if fault:
        raise PixelError(fault)
    for number in range(1, int(data_set.get("NumberOfFrames") or 1) + 1):
        flat = frame_groups(data_set, number)
        says = "RescaleSlope" in flat or "RescaleIntercept" in flat
        yield rescale_of(
            flat if says else data_set, f"Instance {data_set.SOPInstanceUID}, frame {number}"
        )


def has_frames(data_set: Dataset, whole: Header) -> bool:
    """Whether functional groups say where the image or the images of the instance lie.

    In real single frames, which bear an empty item of groups, the instance itself does.
    """
    if not data_set.get(PER_FRAME):
        return False
    if whole.number_of_frames != 1 or whole.image_position_mm is None:
        return True
    is_single = whole.sop_class_uid in SINGLE_FRAME_CLASSES.values()
    return not is_single and "ImagePositionPatient" in macro_attributes(data_set, 1)


def _count_fault(data_set: Dataset) -> str:
    """How the number of frames is not that of their functional groups; empty where it is."""
    stated, items = int(data_set.get("NumberOfFrames") or 1), len(data_set.get(PER_FRAME) or ())
    if items in (0, stated):
        return ""
    return (
        f"Instance {data_set.SOPInstanceUID}: NumberOfFrames {stated}, but {items} items in "
        f"{PER_FRAME}, expected one for each frame"
    )


def _of_frame(whole: Header, number: int, flat: Dataset) -> Header:
    measured = whole.with_place(flat)
    return replace(
        measured,
        frame_number=number,
        page=page_of_frame(whole.page, flat),
        instance_number=number,
        distinctions=of_frame(whole.distinctions, flat, whole.instance_number),
    )
