"""Read a received DICOM file by pydicom, and check it against its C-STORE request."""

from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset

from core.errors import InstanceError, NotADataSetError, UidMismatchError
from core.uids import is_safe_uid
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.whole import check_not_truncated

_DEFER_BYTES = 4096
_IDENTIFIERS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


def examine(content: bytes | Path, sop_class_uid: str, sop_instance_uid: str) -> FileDataset:
    """Read a DICOM file; its UIDs have to be those of the C-STORE request.

    Raises:
        NotADataSetError: the file cannot be read, is cut short, or lacks the UIDs of an instance.
        UidMismatchError: the data set is of another SOP class or instance than the request.
        InstanceError: a UID is not made of digits and dots, so that it cannot name a file.
    """
    try:
        if isinstance(content, Path):
            source: Path | BytesIO = content
            size = content.stat().st_size
        else:
            source, size = BytesIO(content), len(content)
        data_set = pydicom.dcmread(source, defer_size=_DEFER_BYTES)
        check_not_truncated(data_set, size)
        found = {keyword: str(data_set.get(keyword, "")) for keyword in _IDENTIFIERS}
    except READING_ERRORS as error:
        raise NotADataSetError(
            f"Instance {sop_instance_uid}: not a readable data set ({type(error).__name__})"
        ) from error
    _check_identifiers(found, sop_instance_uid)
    _check_request(found, sop_class_uid, sop_instance_uid)
    return data_set


def _check_identifiers(found: dict[str, str], sop_instance_uid: str) -> None:
    for keyword, uid in found.items():
        if not uid:
            raise NotADataSetError(f"Instance {sop_instance_uid}: {keyword} is missing")
        if not is_safe_uid(uid):
            raise InstanceError(
                f"Instance {sop_instance_uid!r}: {keyword} {uid!r} is not a UID of digits and dots"
            )


def _check_request(found: dict[str, str], sop_class_uid: str, sop_instance_uid: str) -> None:
    for keyword, requested in (
        ("SOPClassUID", sop_class_uid),
        ("SOPInstanceUID", sop_instance_uid),
    ):
        if found[keyword] != requested:
            raise UidMismatchError(
                f"{keyword} of the data set is {found[keyword]}, of the request {requested}"
            )
