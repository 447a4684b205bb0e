"""Read a received DICOM file by pydicom, and check it against its C-STORE request."""

from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset

from core.errors import InstanceError, NotADataSetError, UidMismatchError
from core.uids import MAX_UID_LENGTH, is_safe_uid
from imaging.instances.element_words import WAY_OUT, element_fault, told_uid
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file
from imaging.instances.whole import check_not_truncated

_DEFER_BYTES = 4096
_SHORT = (*("NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated"),)
_LONGEST_BYTES = 1024
_LONGEST_UID_BYTES = 256  # a UID of 64 characters, however it is padded
_IDENTIFIERS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


def examine(content: bytes | Path, sop_class_uid: str, sop_instance_uid: str) -> FileDataset:
    """Read a DICOM file; its UIDs have to be those of the C-STORE request.

    Raises:
        NotADataSetError: the file cannot be read, is cut short, or lacks the UIDs of an instance.
        UidMismatchError: the data set is of another SOP class or instance than the request.
        InstanceError: a UID is not made of digits and dots, so that it cannot name a file.
    """
    name = f"Instance {told_uid(sop_instance_uid)}"
    try:
        if isinstance(content, Path):
            source: Path | BytesIO = content
            size = content.stat().st_size
        else:
            source, size = BytesIO(content), len(content)
        data_set = pydicom.dcmread(source, defer_size=_DEFER_BYTES)
        check_not_truncated(data_set, size)
        _check_lengths(data_set, name)
        found = {keyword: _uid(data_set, keyword) for keyword in _IDENTIFIERS}
    except READING_ERRORS as error:
        fault = explain_file(content if isinstance(content, Path) else BytesIO(content), error)
        raise NotADataSetError(f"{name}: not a readable data set: {fault}") from error
    _check_identifiers(data_set, found, name)
    _check_request(found, sop_class_uid, sop_instance_uid)
    return data_set


def _check_lengths(data_set: FileDataset, name: str) -> None:
    """Refuse values that the node itself needs and that would fill memory."""
    for keyword in _SHORT:
        if keyword in data_set:
            element = data_set.get_item(keyword, keep_deferred=True)
            if getattr(element, "length", 0) > _LONGEST_BYTES:
                fault = element_fault(data_set, keyword, f"at most {_LONGEST_BYTES} bytes")
                raise InstanceError(f"{name}: {fault}; {WAY_OUT}")


def _uid(data_set: FileDataset, keyword: str) -> str:
    """The text of a UID; empty for one that is too long, which is not read."""
    element = data_set.get_item(keyword, keep_deferred=True) if keyword in data_set else None
    if isinstance(element, RawDataElement) and element.length > _LONGEST_UID_BYTES:
        return ""
    return str(data_set.get(keyword) or "")


def _check_identifiers(data_set: FileDataset, found: dict[str, str], name: str) -> None:
    for keyword, uid in found.items():
        if is_safe_uid(uid):
            continue
        if keyword not in data_set:
            fault = element_fault(data_set, keyword, "a UID of digits and dots")
            raise NotADataSetError(f"{name}: {keyword} is missing; {fault}; {WAY_OUT}")
        fault = element_fault(data_set, keyword, _expected(data_set, keyword, uid))
        raise InstanceError(f"{name}: {fault}; {WAY_OUT}")


def _expected(data_set: FileDataset, keyword: str, uid: str) -> str:
    """What a UID should have been; the length alone for one that is too long."""
    element = data_set.get_item(keyword, keep_deferred=True)
    length = element.length if isinstance(element, RawDataElement) else len(uid)
    if length > MAX_UID_LENGTH:
        return f"a UID of at most {MAX_UID_LENGTH} characters"
    return "a UID of digits and dots"


def _check_request(found: dict[str, str], sop_class_uid: str, sop_instance_uid: str) -> None:
    for keyword, requested in (
        ("SOPClassUID", sop_class_uid),
        ("SOPInstanceUID", sop_instance_uid),
    ):
        if found[keyword] != requested:
            raise UidMismatchError(
                f"{keyword} of the data set is {told_uid(found[keyword])}, of the request "
                f"{told_uid(requested)}"
            )
