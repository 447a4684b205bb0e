"""Rows of instances, read from their files and from write-ahead logs."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from pynetdicom.dsutils import split_dataset

from core.durable import sync_folder
from core.errors import InstanceError, SlicewireError, explain_fault
from core.storage_layout import StorageLayout
from core.uids import is_derived_uid
from network.data_sets.describe import describe
from network.data_sets.file_bytes import FileBytes
from network.data_sets.limits import DataSetBounds
from node.ledger.tables.instances import StoredInstance
from node.scp.instance_store import ReceivedInstance
from node.wal.files import InstanceFolders, copy_records
from node.wal.segments import SUFFIX, records_of

_PIECE_BYTES = 1 << 20

log = structlog.get_logger("ledger")


def file_logged_instances(storage_path: Path) -> int:
    """Make the files of instances that are in a log only; return how many.

    Raises:
        OSError: a log cannot be read, or a file not be written.
    """
    layout, folders, count = StorageLayout(storage_path), InstanceFolders(storage_path), 0
    for segment in sorted(layout.incoming.glob(f"*{SUFFIX}")):
        for record in records_of(segment):
            instance = StoredInstance(**record.meta["instance"])
            path = storage_path / instance.path
            size = record.meta["file_meta_bytes"]
            found = record.data_set_sha256(instance.transfer_syntax_uid, size)
            if path.exists() or found != instance.sha256:
                continue
            temporary = layout.incoming / f"{path.name}.part"
            temporary.unlink(missing_ok=True)
            copy_records([(record, temporary)])
            folders.make(path.parent)
            temporary.rename(path)
            sync_folder(path.parent)
            count += 1
    return count


def stored_instances(
    storage_path: Path, bounds: DataSetBounds, root_uid: str
) -> Iterator[tuple[StoredInstance, float]]:
    """Yield the instance of every file, with the time of the file; a series at a time.

    Files that are no instances, or lie where they do not belong, are left out with a warning.
    """
    for folder in sorted(StorageLayout(storage_path).instances.glob("*/*")):
        usual = {path.name for path in folder.glob("*.dcm")}
        for path in sorted(folder.glob("*.dcm"), key=lambda one: (len(one.stem), one.stem)):
            try:
                found = _instance_of(path, bounds, root_uid)
            except Exception as error:  # noqa: BLE001, a file in the folder may be anything
                reason = str(error) if isinstance(error, SlicewireError) else explain_fault(error)
                log.warning("file left out", file=path.name, reason=reason)
                continue
            differs = path.stem != found.sop_instance_uid
            other_is_there = f"{found.sop_instance_uid}.dcm" in usual
            where = str(path.relative_to(storage_path))
            yield (
                replace(found, path=where, differs=differs and other_is_there),
                path.stat().st_mtime,
            )


def _instance_of(path: Path, bounds: DataSetBounds, root_uid: str) -> StoredInstance:
    file_meta, offset = split_dataset(path)
    syntax = str(file_meta.TransferSyntaxUID)
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        received = ReceivedInstance(
            association=0,
            sop_class_uid=str(file_meta.MediaStorageSOPClassUID),
            sop_instance_uid=str(file_meta.MediaStorageSOPInstanceUID),
            transfer_syntax_uid=syntax,
            file_meta=os.pread(descriptor, offset, 0),
            data_set=FileBytes(descriptor, offset, size - offset),
            path=path,
        )
        found = describe(received, bounds)
        digest = _sha256(descriptor, offset, syntax)
    if (path.parent.parent.name, path.parent.name) != (
        found.study_instance_uid,
        found.series_instance_uid,
    ):
        raise InstanceError("its folders are not those of its study and series")
    return StoredInstance(
        sop_instance_uid=found.sop_instance_uid,
        series_instance_uid=found.series_instance_uid,
        study_instance_uid=found.study_instance_uid,
        sop_class_uid=found.sop_class_uid,
        transfer_syntax_uid=syntax,
        sha256=digest,
        size_bytes=size,
        path="",
        made_here=found.made_here or is_derived_uid(root_uid, found.sop_instance_uid),
    )


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sha256(descriptor: int, offset: int, transfer_syntax_uid: str) -> str:
    """SHA-256 of transfer syntax and data set, read piece by piece."""
    digest = hashlib.sha256(transfer_syntax_uid.encode())
    while piece := os.pread(descriptor, _PIECE_BYTES, offset):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()
