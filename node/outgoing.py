"""Instances on their way out: what a file holds, and the file as a peer may have it."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pynetdicom.dsutils import split_dataset

from core.errors import NotADataSetError
from imaging.transcode import write_uncompressed
from imaging.whole import check_whole

_DEFER_BYTES = 4096
_PREAMBLE_BYTES = 128


@dataclass(frozen=True, slots=True)
class InstanceToSend:
    """A file and the UIDs that its data set goes out with."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def is_dicom_file(path: Path) -> bool:
    """Whether the file calls itself DICOM (PS3.10 section 7.1), whatever follows."""
    with path.open("rb") as file:
        return file.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == b"DICM"


def instance_to_send(path: Path) -> InstanceToSend:
    """The instance in the file `path`; pixels stay on disk.

    Raises:
        NotADataSetError: the file is not DICOM, is cut off, or lacks the UIDs that identify it.
    """
    try:
        data_set = pydicom.dcmread(path, defer_size=_DEFER_BYTES)
        instance = InstanceToSend(
            path=path,
            sop_class_uid=_uid(data_set, "SOPClassUID"),
            sop_instance_uid=_uid(data_set, "SOPInstanceUID"),
            transfer_syntax_uid=str(data_set.file_meta.TransferSyntaxUID),
        )
    except (InvalidDicomError, EOFError, AttributeError, ValueError, KeyError) as error:
        raise NotADataSetError(f"{path.name}: not a readable DICOM instance ({error})") from error
    except (OSError, struct.error, zlib.error, NotImplementedError) as error:
        raise NotADataSetError(f"{path.name}: cannot be read ({error})") from error
    check_whole(data_set, path.stat().st_size)
    return instance


def _uid(data_set: FileDataset, keyword: str) -> str:
    """A UID as it stands, so that pydicom does not comment on its leading zeros."""
    element = data_set.get_item(keyword)
    if element is None or not element.value:
        raise AttributeError(f"no {keyword}")
    value = element.value
    text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return text.rstrip("\x00 ")


@contextmanager
def file_to_send(instance: InstanceToSend, transfer_syntax_uid: str) -> Iterator[Path]:
    """A file whose data set has `transfer_syntax_uid` and whose file meta names `instance`.

    That is the instance's own file where it can be, so that its bytes go out unchanged.

    Raises:
        PixelError: compressed pixels that cannot be decoded.
        NotADataSetError: the file can no longer be read.
        OSError: a temporary copy was needed and cannot be written.
    """
    if transfer_syntax_uid != instance.transfer_syntax_uid:
        with TemporaryDirectory(prefix="slicewire-") as folder:
            copy = Path(folder) / "transcoded.dcm"
            write_uncompressed(instance.path, copy, transfer_syntax_uid)
            yield copy
        return
    file_meta, offset = split_dataset(instance.path)
    if _names(file_meta, instance):
        yield instance.path
        return
    with TemporaryDirectory(prefix="slicewire-") as folder:
        copy = Path(folder) / "renamed.dcm"
        _write_with_file_meta(instance, offset, copy)
        yield copy


def _names(file_meta: pydicom.Dataset, instance: InstanceToSend) -> bool:
    found = (
        file_meta.get("MediaStorageSOPClassUID"),
        file_meta.get("MediaStorageSOPInstanceUID"),
    )
    return found == (instance.sop_class_uid, instance.sop_instance_uid)


def _write_with_file_meta(instance: InstanceToSend, offset: int, copy: Path) -> None:
    """The data set's bytes as they are, behind file meta that agrees with it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.UID(instance.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(instance.sop_instance_uid)
    meta.TransferSyntaxUID = pydicom.uid.UID(instance.transfer_syntax_uid)
    encoded = DicomBytesIO()
    write_file_meta_info(encoded, meta)
    prefix = b"\x00" * _PREAMBLE_BYTES + b"DICM" + encoded.getvalue()
    copy.write_bytes(prefix + instance.path.read_bytes()[offset:])
