"""Header of an instance or frame: identity, size and position, read without the pixels."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileDataset

from core.errors import NotADataSetError
from core.uids import is_safe_uid
from imaging.geometry.distinctions import DISTINCTION_TAGS, Distinctions, Value, distinctions_of
from imaging.instances.csa import CSA_TAGS
from imaging.instances.element_walk import UNDEFINED_LENGTH
from imaging.instances.element_words import WAY_OUT, element_fault
from imaging.instances.elements import read_elements, tags_of
from imaging.instances.pages import PAGE_TAGS, page_of
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file

_DEFER_BYTES = 4096
_MOST_IN_US = 65_535
_LONGEST = 65_534
_MOST = MappingProxyType({"NumberOfFrames": 10_000_000})
Read = TypeVar("Read")
_TAGS = tags_of(
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "InstanceNumber",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
HEADER_TAGS = _TAGS | DISTINCTION_TAGS | PAGE_TAGS | CSA_TAGS
"""All attributes that the headers of instances and of frames are made from."""
_SHORT_TAGS = (
    HEADER_TAGS
    - CSA_TAGS
    - tags_of("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
)
GREY = ("MONOCHROME1", "MONOCHROME2")
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True, slots=True)
class Header:
    """Identity, size and position of an instance or frame; lengths in mm, positions in LPS."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str
    transfer_syntax_uid: str
    patient_key: str
    """Hash of PatientID, PatientName and PatientBirthDate: tells patients apart anonymously."""
    modality: str
    rows: int
    columns: int
    number_of_frames: int
    samples_per_pixel: int
    has_pixel_data: bool
    photometric_interpretation: str
    instance_number: int
    pixel_spacing_mm: tuple[float, float] | None
    """Distance between rows, then between columns (PixelSpacing's order)."""
    image_position_mm: tuple[float, float, float] | None
    image_orientation: tuple[float, ...] | None
    """Unit vectors of increasing column, then of increasing row (ImageOrientationPatient)."""
    distinctions: Distinctions
    """Attributes that tell it apart from images at the same position: echo, kernel, time, ..."""
    frame_number: int | None = None
    """Number of the frame in a multi-frame instance, from 1; None: the instance as a whole."""
    is_localizer: bool = False
    """True if ImageType contains LOCALIZER (PS3.3 C.8.2.1.1.1, C.8.3.1.1.1): a scout view."""

    page: str = ""
    """Kind of non-plane image, such as "a montage" (`imaging.instances.pages`); empty: a plane."""

    def distinction(self, keyword: str) -> Value | None:
        """Value of a distinguishing attribute (`imaging/geometry/distinctions.py`) or None."""
        return next((value for name, value in self.distinctions if name == keyword), None)

    @property
    def moment(self) -> tuple[float, float]:
        """TemporalPositionIdentifier and TriggerTime (ms); 0 for an absent one."""
        found = dict(self.distinctions)
        first, second = (
            value if isinstance(value := found.get(keyword), float) else 0.0
            for keyword in ("TemporalPositionIdentifier", "TriggerTime")
        )
        return first, second

    @property
    def image(self) -> tuple[str, int | None]:
        """Key of the image: SOP Instance UID and frame number."""
        return self.sop_instance_uid, self.frame_number

    def with_image_plane(self, attributes: Dataset) -> "Header":
        """Copy of the header with position, orientation and spacing taken from `attributes`."""
        return replace(
            self,
            pixel_spacing_mm=_pair(_numbers(attributes, "PixelSpacing", 2)),
            image_position_mm=_triple(_numbers(attributes, "ImagePositionPatient", 3)),
            image_orientation=_numbers(attributes, "ImageOrientationPatient", 6),
        )


def read_header(path: Path) -> Header:
    """Read the header of the instance in the file `path`, without its pixels.

    Raises:
        NotADataSetError: the file is not DICOM or lacks the UIDs that identify an instance.
    """
    return read_with(path, header_of)


def read_with(path: Path, read: Callable[[FileDataset, Path], Read]) -> Read:
    """Call `read` with the header's elements in the file `path`, and return its result.

    `read` gets all elements of a file that is not regular (`imaging/instances/elements.py`).
    Raises as `read_header` does.
    """
    try:
        data_set = read_elements(path, HEADER_TAGS, pixels=False)
        return read(data_set or _read_by_pydicom(path), path)
    except READING_ERRORS as error:
        words = explain_file(path, error, HEADER_TAGS)
        raise NotADataSetError(f"{path.name}: not a readable DICOM instance: {words}") from error


def _read_by_pydicom(path: Path) -> FileDataset:
    """Read the file `path`; raises NotADataSetError for a value that would fill memory."""
    data_set = pydicom.dcmread(path, defer_size=_DEFER_BYTES)
    for tag in _SHORT_TAGS & set(data_set.keys()):
        element = data_set.get_item(tag, keep_deferred=True)
        if _LONGEST < getattr(element, "length", 0) < UNDEFINED_LENGTH:
            expected = f"a value of at most {_LONGEST} bytes"
            raise _fault(data_set, keyword_for_tag(tag), path, expected)
    return data_set


def header_of(data_set: FileDataset, path: Path) -> Header:
    """Header of a data set that was read from `path`.

    Raises:
        NotADataSetError: a UID is none, or a size is impossible; names the element.
    """
    return Header(
        path=path,
        sop_class_uid=_uid(data_set, "SOPClassUID", path),
        sop_instance_uid=_uid(data_set, "SOPInstanceUID", path),
        series_instance_uid=_uid(data_set, "SeriesInstanceUID", path),
        study_instance_uid=_uid(data_set, "StudyInstanceUID", path),
        frame_of_reference_uid=_uid(data_set, "FrameOfReferenceUID", path, is_optional=True),
        transfer_syntax_uid=str(data_set.file_meta.TransferSyntaxUID),
        patient_key=patient_key(data_set),
        modality=str(data_set.get("Modality", "") or ""),
        rows=_count(data_set, "Rows", path, 0),
        columns=_count(data_set, "Columns", path, 0),
        number_of_frames=_count(data_set, "NumberOfFrames", path, 1),
        samples_per_pixel=_count(data_set, "SamplesPerPixel", path, 1),
        has_pixel_data=any(keyword in data_set for keyword in _PIXEL_KEYWORDS),
        photometric_interpretation=str(data_set.get("PhotometricInterpretation", "") or ""),
        instance_number=int(data_set.get("InstanceNumber") or 0),
        pixel_spacing_mm=_pair(_numbers(data_set, "PixelSpacing", 2)),
        image_position_mm=_triple(_numbers(data_set, "ImagePositionPatient", 3)),
        image_orientation=_numbers(data_set, "ImageOrientationPatient", 6),
        distinctions=distinctions_of(data_set),
        page=page_of(data_set),
        is_localizer="LOCALIZER" in (data_set.get("ImageType") or ()),
    )


def patient_key(data_set: Dataset) -> str:
    """Hash that is equal for two data sets of the same patient."""
    values = (data_set.get(name) for name in ("PatientID", "PatientName", "PatientBirthDate"))
    text = "\x00".join(str(value or "").strip() for value in values)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _uid(data_set: Dataset, keyword: str, path: Path, *, is_optional: bool = False) -> str:
    uid = str(data_set.get(keyword) or "")
    if is_safe_uid(uid) or (is_optional and not uid):
        return uid
    raise _fault(data_set, keyword, path, "a UID of digits and dots, at most 64 characters")


def _count(data_set: Dataset, keyword: str, path: Path, otherwise: int) -> int:
    value = data_set.get(keyword) or otherwise
    count, most = int(value), _MOST.get(keyword, _MOST_IN_US)
    if count != float(value) or not 0 <= count <= most:
        raise _fault(data_set, keyword, path, f"a whole number from 0 to {most}")
    return count


def _fault(data_set: Dataset, keyword: str, path: Path, expected: str) -> NotADataSetError:
    words = element_fault(data_set, keyword, expected)
    return NotADataSetError(f"{path.name}: not a readable DICOM instance: {words}; {WAY_OUT}")


def _numbers(data_set: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    value: Any = data_set.get(keyword)
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        return None
    return tuple(float(number) for number in value)


def _pair(numbers: tuple[float, ...] | None) -> tuple[float, float] | None:
    return None if numbers is None else (numbers[0], numbers[1])


def _triple(numbers: tuple[float, ...] | None) -> tuple[float, float, float] | None:
    return None if numbers is None else (numbers[0], numbers[1], numbers[2])
