"""Enhanced multi-frame instances: each frame as an image of its own (PS3.3 C.7.6.16).

Position, orientation, spacing, time and rescaling of a frame stand in functional groups: shared by
all frames, or its own, which count more.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from core.errors import NotADataSetError, PixelError
from imaging.header import Header, header_of, read_with
from imaging.rescale import rescale_of

_PER_FRAME, _SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
_SINGLE_FRAME_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2.1": "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.4.1": "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.130": "1.2.840.10008.5.1.4.1.1.128",  # PET
}
_MULTI_FRAME_ONLY = (
    _PER_FRAME,
    _SHARED,
    "NumberOfFrames",
    "DimensionOrganizationSequence",
    "DimensionIndexSequence",
    "DimensionOrganizationType",
    "ConcatenationUID",
    "InConcatenationNumber",
    "SOPInstanceUIDOfConcatenationSource",
)
# Type 1 of the MR Image Module, and not in enhanced instances: research mode, no variant.
_MR_DEFAULTS = {"ScanningSequence": "RM", "SequenceVariant": "NONE", "ScanOptions": None}
_MR = "1.2.840.10008.5.1.4.1.1.4"


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
    has_a_place = whole.number_of_frames == 1 and whole.image_position_mm is not None
    if has_a_place or not data_set.get(_PER_FRAME):  # real single frames bear an empty item
        return (whole,)
    groups = (frame_groups(data_set, number) for number in range(1, whole.number_of_frames + 1))
    return tuple(_of_frame(whole, number, flat) for number, flat in enumerate(groups, 1))


def frame_groups(data_set: Dataset, number: int) -> Dataset:
    """The attributes of one frame (from 1) out of all its functional groups, in one data set."""
    flat, own = Dataset(), data_set[_PER_FRAME].value
    items = list(data_set.get(_SHARED) or ())
    items += [own[number - 1]] if number <= len(own) else []
    for macro in (macro for item in items for macro in item if macro.VR == "SQ"):
        for attributes in macro.value[:1]:
            flat.update(attributes)
    return flat


def single_frame(data_set: FileDataset, header: Header) -> FileDataset:
    """`data_set` changed into the single-frame instance that the frame of `header` would be.

    Raises:
        PixelError: its SOP class has no single-frame counterpart.
    """
    if header.frame_number is None:
        return data_set
    counterpart = _SINGLE_FRAME_CLASSES.get(header.sop_class_uid)
    if counterpart is None:
        raise PixelError(
            f"Instance {header.sop_instance_uid}: {UID(header.sop_class_uid).name} has no "
            "single-frame class for derived images"
        )
    flat = frame_groups(data_set, header.frame_number)
    for keyword in _MULTI_FRAME_ONLY:
        if keyword in data_set:
            delattr(data_set, keyword)
    data_set.update(flat)
    data_set.SOPClassUID = UID(counterpart)
    data_set.InstanceNumber = header.frame_number
    for keyword, value in _MR_DEFAULTS.items() if counterpart == _MR else ():
        if keyword not in data_set:
            setattr(data_set, keyword, value)
    return data_set


def rescaling(data_set: Dataset) -> Iterator[tuple[float, float]]:
    """Slope and intercept of each frame.

    Raises:
        PixelError: a slope or intercept gives no values, or the number of frames is not that of
            their functional groups.
    """
    fault = _count_fault(data_set)
    if fault:
        raise PixelError(fault)
    for number in range(1, int(data_set.get("NumberOfFrames") or 1) + 1):
        flat = frame_groups(data_set, number)
        yield rescale_of(flat, f"Instance {data_set.SOPInstanceUID}, frame {number}")


def _count_fault(data_set: Dataset) -> str:
    """How the number of frames is not that of their functional groups; empty where it is."""
    stated, items = int(data_set.get("NumberOfFrames") or 1), len(data_set.get(_PER_FRAME) or ())
    if items in (0, stated):
        return ""
    return (
        f"Instance {data_set.SOPInstanceUID}: NumberOfFrames {stated}, but {items} items in "
        f"{_PER_FRAME}, expected one for each frame"
    )


def _of_frame(whole: Header, number: int, flat: Dataset) -> Header:
    measured = whole.with_place(flat)
    return replace(
        measured,
        frame_number=number,
        instance_number=number,
        temporal_key=(
            _number(flat, "TemporalPositionIndex"),
            _number(flat, "NominalCardiacTriggerDelayTime"),
        ),
    )


def _number(data_set: Dataset, keyword: str) -> float:
    value: Any = data_set.get(keyword)
    return float(value) if value is not None else 0.0
