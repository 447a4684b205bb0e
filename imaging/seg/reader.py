"""Reading of binary DICOM Segmentations: segments, frames, positions and references."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import SegmentationStorage

from core.errors import SegmentationError
from imaging.instances.element_words import element_fault
from imaging.instances.header import Header, header_of
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file

_PLACE = MappingProxyType(
    {
        "image_position_mm": ("PlanePositionSequence", "ImagePositionPatient"),
        "image_orientation": ("PlaneOrientationSequence", "ImageOrientationPatient"),
        "pixel_spacing_mm": ("PixelMeasuresSequence", "PixelSpacing"),
    }
)


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """Frame of a segmentation: one segment on one image."""

    segment_number: int
    source: tuple[str, int | None]
    """SOP Instance UID and frame number of the source image."""
    place: Header
    """Header with the frame's position, orientation, pixel spacing, size, frame of reference."""
    packed: npt.NDArray[np.uint8]
    """Bytes with the frame's pixels, eight in a byte, the first in the lowest bit (PS3.5 8.1.1)."""
    first_bit: int
    """Index in `packed` of the frame's first pixel, directly after those of the frame before."""

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Mask [row, column], unpacked at each call."""
        count = self.place.rows * self.place.columns
        bits = np.unpackbits(self.packed, count=self.first_bit + count, bitorder="little")
        shape = self.place.rows, self.place.columns
        return bits[self.first_bit :].view(np.bool_).reshape(shape)


@dataclass(frozen=True, slots=True)
class SegmentationContent:
    """Contents of a segmentation."""

    header: Header
    labels: dict[int, str]
    """SegmentLabel by SegmentNumber."""
    frames: tuple[SegmentFrame, ...]

    def masks(self, headers: Sequence[Header]) -> dict[str, npt.NDArray[np.bool_]]:
        """Masks by label, bool [instance, row, column] in the order of `headers`.

        Frames are assigned to images by reference only.

        Raises:
            SegmentationError: a frame refers to none of `headers`, or has another size.
        """
        index = {header.image: at for at, header in enumerate(headers)}
        shape = (len(headers), self.header.rows, self.header.columns)
        masks = {label: np.zeros(shape, dtype=bool) for label in self.labels.values()}
        for frame in self.frames:
            at = index.get(frame.source)
            if at is None or shape[1:] != (headers[at].rows, headers[at].columns):
                raise SegmentationError(
                    f"Segmentation {self.header.sop_instance_uid}: a frame of {shape[1:]} pixels "
                    f"refers to {frame.source[0]}, expected an image of the series"
                )
            masks[self.labels[frame.segment_number]][at] |= frame.mask
        return masks


def read_segmentation(path: Path) -> SegmentationContent:
    """Read the uncompressed binary segmentation in the file `path`.

    Raises:
        SegmentationError: another kind of file, or a frame lacks segment, reference or pixels.
    """
    try:
        data_set = pydicom.dcmread(path)
        if data_set.get("SOPClassUID") != SegmentationStorage:
            raise SegmentationError(f"{path.name}: not a Segmentation")
        return _content(data_set, path)
    except READING_ERRORS as error:
        words = explain_file(path, error)
        raise SegmentationError(f"{path.name}: not a readable Segmentation: {words}") from error


def _content(data_set: FileDataset, path: Path) -> SegmentationContent:
    if data_set.SegmentationType != "BINARY":
        raise SegmentationError(
            f"{path.name}: {element_fault(data_set, 'SegmentationType', 'BINARY')}"
        )
    header = header_of(data_set, path)
    [shared] = data_set.SharedFunctionalGroupsSequence
    shared_header = _placed(header, shared)
    groups = data_set.PerFrameFunctionalGroupsSequence
    if len(groups) != header.number_of_frames:
        raise SegmentationError(
            f"{path.name}: not a readable Segmentation: {len(groups)} functional groups, "
            f"expected {header.number_of_frames}"
        )
    return SegmentationContent(
        header=header,
        labels={int(one.SegmentNumber): str(one.SegmentLabel) for one in data_set.SegmentSequence},
        frames=tuple(
            _frame((item, shared), _placed(shared_header, item), *pixels)
            for item, pixels in zip(groups, _packed(data_set, header), strict=True)
        ),
    )


def _packed(data_set: Dataset, header: Header) -> Iterator[tuple[npt.NDArray[np.uint8], int]]:
    """Yield the bytes of each frame, and the index of its first pixel in them."""
    content = np.frombuffer(data_set.PixelData, dtype=np.uint8)
    count = header.rows * header.columns
    if len(content) * 8 < header.number_of_frames * count:  # numpy would fill up with zeros
        raise SegmentationError(
            f"{header.path.name}: not a readable Segmentation: {len(content)} bytes of pixels for "
            f"{header.number_of_frames} frames of {header.rows} x {header.columns}"
        )
    for start in range(0, header.number_of_frames * count, count):
        yield content[start // 8 : -(-(start + count) // 8)], start % 8


def _placed(header: Header, groups: Dataset) -> Header:
    """Copy of `header` with position, orientation and spacing from functional groups."""
    found: dict[str, tuple[float, ...]] = {}
    for field, (sequence, keyword) in _PLACE.items():
        if sequence in groups:
            found[field] = tuple(float(value) for value in groups[sequence].value[0][keyword].value)
    return replace(header, **found)  # type: ignore[arg-type]  # of as many numbers as DICOM has


def _frame(
    groups: tuple[Dataset, Dataset],
    place: Header,
    packed: npt.NDArray[np.uint8],
    first_bit: int,
) -> SegmentFrame:
    own, shared = groups
    segment = own if "SegmentIdentificationSequence" in own else shared
    [derivation] = own.DerivationImageSequence
    [source] = derivation.SourceImageSequence
    frame = source.get("ReferencedFrameNumber")
    return SegmentFrame(
        segment_number=int(segment.SegmentIdentificationSequence[0].ReferencedSegmentNumber),
        source=(str(source.ReferencedSOPInstanceUID), None if frame is None else int(frame)),
        place=place,
        packed=packed,
        first_bit=first_bit,
    )
