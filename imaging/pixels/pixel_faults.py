"""What keeps pixels from being decoded, in our own words: element, expected and found."""

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, JPEGExtended12Bit

from core.uids import is_safe_uid
from imaging.instances.element_words import (
    PHOTOMETRIC_INTERPRETATIONS,
    WAY_OUT,
    element_fault,
    element_name,
    found_element,
    told_instance,
)
from imaging.instances.read_errors import READING_ERRORS

_MOST = 65_535
_MOST_FRAMES = 10_000_000
_NUMBERS = (
    ("Rows", 1, _MOST),
    ("Columns", 1, _MOST),
    ("SamplesPerPixel", 1, 4),
    ("BitsAllocated", 1, 64),
    ("BitsStored", 1, 64),
    ("PixelRepresentation", 0, 1),
)
_PIXEL_DATA = 0x7FE00010


def explain_pixels(data_set: FileDataset) -> str:
    """Explain why the pixels of an instance cannot be decoded; names the instance."""
    words = _fault_of_header(data_set) or _fault_of_length(data_set) or _fault_of_frames(data_set)
    what = f"{told_instance(data_set)}: pixels cannot be decoded from {syntax_name(data_set)}"
    return f"{what}: {words}; {WAY_OUT}"


def syntax_name(data_set: Dataset) -> str:
    """Name of the transfer syntax in the file meta information, such as `JPEG 2000`."""
    uid = _syntax(data_set)
    if not is_safe_uid(uid):
        return "an unknown transfer syntax"
    return uid.name


def _fault_of_header(data_set: Dataset) -> str:
    for keyword, least, most in _NUMBERS:
        if not _is_number(data_set, keyword, least, most):
            return element_fault(data_set, keyword, f"a whole number from {least} to {most}")
    if not _is_known(data_set):
        return element_fault(data_set, "PhotometricInterpretation", "a defined term of PS3.3")
    if _syntax(data_set) == JPEGExtended12Bit and data_set.PixelRepresentation:
        return element_fault(data_set, "PixelRepresentation", "0, unsigned (PS3.5 table 8.2.1-1)")
    return ""


def _is_known(data_set: Dataset) -> bool:
    try:
        return str(data_set.get("PhotometricInterpretation")) in PHOTOMETRIC_INTERPRETATIONS
    except READING_ERRORS:
        return False


def _is_number(data_set: Dataset, keyword: str, least: int, most: int) -> bool:
    try:
        value = data_set.get(keyword)
    except READING_ERRORS:
        return False
    return isinstance(value, int) and least <= value <= most


def _fault_of_length(data_set: FileDataset) -> str:
    """Words if native pixel data are shorter than Rows, Columns and the like say; or empty."""
    try:
        frames = int(data_set.get("NumberOfFrames") or 1)
    except READING_ERRORS:
        frames = 0
    if not 1 <= frames <= _MOST_FRAMES:
        return element_fault(data_set, "NumberOfFrames", f"a whole number from 1 to {_MOST_FRAMES}")
    if _is_encapsulated(data_set) or _PIXEL_DATA not in data_set:
        return ""
    bits = data_set.Rows * data_set.Columns * data_set.SamplesPerPixel * data_set.BitsAllocated
    expected, found = -(-bits * frames // 8), _length(data_set)
    if found >= expected:
        return ""
    return element_fault(data_set, "PixelData", f"{expected} bytes for {frames} frame(s)")


def _is_encapsulated(data_set: Dataset) -> bool:
    uid = _syntax(data_set)
    return uid.is_transfer_syntax and uid.is_encapsulated


def _syntax(data_set: Dataset) -> UID:
    return UID(str(getattr(data_set, "file_meta", {}).get("TransferSyntaxUID", "")))


def _length(data_set: Dataset) -> int:
    element = data_set.get_item(_PIXEL_DATA, keep_deferred=True)
    if isinstance(element, RawDataElement):
        return element.length
    value = element.value if isinstance(element, DataElement) else None
    return len(value) if isinstance(value, bytes) else 0


def _fault_of_frames(data_set: Dataset) -> str:
    return (
        f"{element_name(_PIXEL_DATA)}: expected frames of this transfer syntax, "
        f"found {found_element(data_set, _PIXEL_DATA)}"
    )
