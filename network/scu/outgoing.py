"""Instances to send: their identifiers, and their data sets in the accepted transfer syntax."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pynetdicom.dsutils import split_dataset

from core.config.wire import Wire
from core.errors import NotADataSetError
from core.uids import is_safe_uid
from imaging.instances.elements import end_of_file_meta, read_bytes
from imaging.instances.read_errors import BROKEN
from imaging.instances.reading_faults import explain_file
from imaging.instances.whole import check_not_truncated
from network.data_sets.file_bytes import FileBytes
from network.data_sets.limits import DataSetBounds
from network.data_sets.negotiated import check_encoding
from network.scu.transcoder import Transcoder
from network.upper_layer.p_data import Extent

_DEFER_BYTES = 4096
_PREAMBLE_BYTES = 128
_FIRST_BYTES = 8192
_LONGEST_UID_BYTES = 256
_IDENTITY = (0x00080016, 0x00080018, 0x00020010)
"""SOPClassUID, SOPInstanceUID, TransferSyntaxUID; `read_bytes` finds them in whole files only."""


@dataclass(frozen=True, slots=True)
class InstanceToSend:
    """A DICOM file, and the UIDs for its C-STORE request."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def is_dicom_file(path: Path) -> bool:
    """True if the file has the DICOM prefix (PS3.10 7.1), whatever follows."""
    with path.open("rb") as file:
        return file.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == b"DICM"


def instance_to_send(path: Path) -> InstanceToSend:
    """Read the identifiers of the instance in the file `path`, without its pixels.

    Raises:
        NotADataSetError: the file is not DICOM, is cut off, or lacks one of the UIDs.
    """
    try:
        regular = read_bytes(path, _IDENTITY)
        if regular is not None and all(regular.get(tag) for tag in _IDENTITY):
            return InstanceToSend(path, *(_text(regular[tag]) for tag in _IDENTITY))
        data_set = pydicom.dcmread(path, defer_size=_DEFER_BYTES)
        instance = InstanceToSend(
            path=path,
            sop_class_uid=_uid(data_set, "SOPClassUID"),
            sop_instance_uid=_uid(data_set, "SOPInstanceUID"),
            transfer_syntax_uid=_text(str(data_set.file_meta.TransferSyntaxUID).encode()),
        )
    except BROKEN as error:
        words = explain_file(path, error)
        raise NotADataSetError(f"{path.name}: not a readable DICOM instance: {words}") from error
    except OSError as error:
        reason = error.strerror or "no such file"
        raise NotADataSetError(f"{path.name}: cannot be read ({reason})") from error
    check_not_truncated(data_set, path.stat().st_size)
    return instance


def check_file_encoding(path: Path, transfer_syntax_uid: str) -> None:
    """Check that the data set of a DICOM file is encoded in its transfer syntax.

    Raises:
        InstanceError: the encoding is another one, or exceeds a bound of an empty configuration.
        OSError: the file cannot be read.
    """
    with open_data_set(path) as extent:
        content = FileBytes(extent.descriptor, extent.begin, extent.end - extent.begin)
        check_encoding(content, transfer_syntax_uid, DataSetBounds.of(Wire()))


def _uid(data_set: FileDataset, keyword: str) -> str:
    """A UID as it is encoded, so that pydicom does not warn of leading zeros."""
    element = data_set.get_item(keyword)
    if element is None or not element.value:
        raise AttributeError(f"no {keyword}")
    value = element.value
    return _text(value if isinstance(value, bytes) else str(value).encode())


def _text(value: bytes) -> str:
    uid = value[:_LONGEST_UID_BYTES].decode("ascii").rstrip("\x00 ")
    if not is_safe_uid(uid):
        raise ValueError
    return uid


@contextmanager
def data_set_to_send(
    instance: InstanceToSend, transfer_syntax_uid: str, transcoder: Transcoder
) -> Iterator[Extent]:
    """Open the data set of `instance` in a transfer syntax, transcoded if need be.

    A file that has the transfer syntax already is sent byte by byte as it is.

    Raises:
        PixelError: compressed pixels cannot be decoded.
        NotADataSetError: the file can no longer be read.
        OSError: the file is gone, or a copy cannot be written.
    """
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        with open_data_set(instance.path) as extent:
            yield extent
        return
    with transcoder.copy(instance.path, transfer_syntax_uid) as copy, open_data_set(copy) as extent:
        yield extent


@contextmanager
def open_data_set(path: Path) -> Iterator[Extent]:
    """Open a DICOM file, and find its data set after the file meta information.

    Raises:
        OSError: the file cannot be read.
        NotADataSetError: the file is no longer DICOM.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        begin = end_of_file_meta(os.read(descriptor, _FIRST_BYTES))
        if begin is None:
            begin = _end_by_pydicom(path)
        yield Extent(descriptor, begin, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _end_by_pydicom(path: Path) -> int:
    try:
        return int(split_dataset(path)[1])
    except BROKEN as error:
        words = explain_file(path, error)
        raise NotADataSetError(f"{path.name}: not a readable DICOM file: {words}") from error
