"""Binary DICOM Segmentations as they stand in the file: segments, frames, places and references."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import SegmentationStorage

from core.errors import SegmentationError
from imaging.frames import frame_groups
from imaging.header import Header, header_of

_BROKEN = (InvalidDicomError, OSError, EOFError, AttributeError, ValueError, LookupError, TypeError)


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """One segment on one image."""

    segment_number: int
    source: tuple[str, int | None]
    """SOP Instance UID and frame of the image that it was derived from."""
    place: Header
    """Position, orientation and pixel spacing of its own, size and frame of reference."""
    mask: npt.NDArray[np.bool_]
    """[row, column]."""


@dataclass(frozen=True, slots=True)
class SegmentationContent:
    """What a segmentation holds."""

    header: Header
    labels: dict[int, str]
    """SegmentLabel by SegmentNumber."""
    frames: tuple[SegmentFrame, ...]

    def masks(self, headers: Sequence[Header]) -> dict[str, npt.NDArray[np.bool_]]:
        """By label, bool [instance, row, column] in the order of `headers`, by reference alone.

        Raises:
            SegmentationError: a frame refers to none of `headers`, or has another size.
        """
        index = {header.image: at for at, header in enumerate(headers)}
        shape = (len(headers), self.header.rows, self.header.columns)
        masks = {label: np.zeros(shape, dtype=bool) for label in self.labels.values()}
        for frame in self.frames:
            at = index.get(frame.source)
            if at is None or frame.mask.shape != (headers[at].rows, headers[at].columns):
                raise SegmentationError(
                    f"Segmentation {self.header.sop_instance_uid}: a frame of {frame.mask.shape} "
                    f"pixels refers to {frame.source[0]}, expected an image of the series"
                )
            masks[self.labels[frame.segment_number]][at] |= frame.mask
        return masks


def read_segmentation(path: Path) -> SegmentationContent:
    """The segmentation in the file `path`, uncompressed and binary.

    Raises:
        SegmentationError: it is not one, or a frame lacks segment, reference or pixels.
    """
    try:
        data_set = pydicom.dcmread(path)
        if data_set.get("SOPClassUID") != SegmentationStorage:
            raise SegmentationError(f"{path.name}: not a Segmentation")
        return _content(data_set, path)
    except _BROKEN as error:
        raise SegmentationError(f"{path.name}: not a readable Segmentation ({error})") from error


def _content(data_set: FileDataset, path: Path) -> SegmentationContent:
    header = header_of(data_set, path)
    masks = _masks(data_set, header)
    return SegmentationContent(
        header=header,
        labels={int(one.SegmentNumber): str(one.SegmentLabel) for one in data_set.SegmentSequence},
        frames=tuple(
            _frame(data_set, header, number, mask) for number, mask in enumerate(masks, 1)
        ),
    )


def _masks(data_set: Dataset, header: Header) -> npt.NDArray[np.bool_]:
    """[frame, row, column]; pixels are packed over the ends of frames (PS3.5 8.1.1)."""
    if data_set.SegmentationType != "BINARY":
        raise SegmentationError(
            f"Segmentation {header.sop_instance_uid}: {data_set.SegmentationType}, expected BINARY"
        )
    shape = (header.number_of_frames, header.rows, header.columns)
    packed, count = np.frombuffer(data_set.PixelData, dtype=np.uint8), int(np.prod(shape))
    if len(packed) * 8 < count:  # numpy would fill up with zeros
        raise ValueError(f"{len(packed)} bytes of pixels, expected {-(-count // 8)}")
    bits = np.unpackbits(packed, count=count, bitorder="little")
    return bits.astype(bool).reshape(shape)


def _frame(
    data_set: Dataset, header: Header, number: int, mask: npt.NDArray[np.bool_]
) -> SegmentFrame:
    flat = frame_groups(data_set, number)
    sources: Sequence[Dataset] = flat.get("SourceImageSequence") or []
    if len(sources) != 1:
        raise SegmentationError(
            f"Segmentation {header.sop_instance_uid}, frame {number}: {len(sources)} source "
            "images, expected one"
        )
    frame = sources[0].get("ReferencedFrameNumber")
    return SegmentFrame(
        segment_number=int(flat.ReferencedSegmentNumber),
        source=(str(sources[0].ReferencedSOPInstanceUID), None if frame is None else int(frame)),
        place=header.with_place(flat),
        mask=mask,
    )
