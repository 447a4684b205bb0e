"""From the bytes of a C-STORE request to an instance that is on disk and in the ledger."""

import hashlib
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from sqlalchemy import Connection

from core.config_wire import Wire
from core.durable import sync_folder, write_synced
from core.errors import BeyondBoundsError, StorageUnavailableError
from core.uids import is_derived_uid
from imaging.provenance import is_made_here
from node.bounds import DataSetBounds, check_encoded, check_pixels
from node.data_set import examine, same_content
from node.ledger.conditions import DISK, clear_condition, set_condition
from node.ledger.database import Ledger
from node.ledger.events import record_event
from node.ledger.instances import (
    StoredInstance,
    find_instances,
    mark_gone,
    record_instance,
    record_receipt,
    restore_instance,
    touch_series,
)

INSTANCES_FOLDER = "instances"
INCOMING_FOLDER = "incoming"
STORED, KNOWN, DIFFERENT = "stored", "known", "different"
_MEGABYTE = 1_000_000

log = structlog.get_logger("inbox")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A C-STORE request: what it says it is, and the DICOM file made of its data set."""

    association: int
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    file_meta: bytes
    """Preamble, prefix and file meta information."""
    data_set: bytes


class Inbox:
    """Stores instances below `storage_path`; safe to call from many threads."""

    def __init__(
        self,
        storage_path: Path,
        ledger: Ledger,
        *,
        root_uid: str,
        minimum_free_mb: int,
        bounds: DataSetBounds | None = None,
    ) -> None:
        """`bounds` are those of an empty configuration when not given."""
        self._storage_path = storage_path
        self._ledger = ledger
        self._root_uid = root_uid
        self._minimum_free_bytes = minimum_free_mb * _MEGABYTE
        self._bounds = bounds or DataSetBounds.of(Wire())
        self._disk_was_full: bool | None = None  # so that what the last run noted is cleared

    def receive(self, arrival: Arrival) -> str:
        """Store one instance durably; `stored`, `known` (same content before) or `different`.

        Raises:
            InstanceError: it is not what it says, or cannot be read; nothing is kept.
            StorageUnavailableError: disk or ledger cannot take it; nothing is promised.
        """
        self._check_free_disk()
        content = arrival.file_meta + arrival.data_set
        instance = self._describe(arrival, content)
        temporary = self._storage_path / INCOMING_FOLDER / uuid.uuid4().hex
        try:
            write_synced(temporary, content)
            compared = self._compare(instance, temporary)
            with self._ledger.writing() as connection:
                return self._place(connection, arrival, instance, temporary, compared=compared)
        except OSError as error:
            raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
        finally:
            with suppress(OSError):  # a disk that became read-only; the next start clears it
                temporary.unlink(missing_ok=True)

    def _describe(self, arrival: Arrival, content: bytes) -> StoredInstance:
        uid, syntax = arrival.sop_instance_uid, arrival.transfer_syntax_uid
        try:
            check_encoded(arrival.data_set, syntax, self._bounds)
            data_set = examine(content, arrival.sop_class_uid, uid)
            check_pixels(data_set, content, self._bounds)
        except BeyondBoundsError as error:
            raise BeyondBoundsError(f"Instance {uid}: {error}") from error
        series_uid = str(data_set.SeriesInstanceUID)
        study_uid = str(data_set.StudyInstanceUID)
        ours = is_made_here(data_set) or is_derived_uid(self._root_uid, arrival.sop_instance_uid)
        path = Path(INSTANCES_FOLDER, study_uid, series_uid, f"{arrival.sop_instance_uid}.dcm")
        digest = hashlib.sha256(arrival.transfer_syntax_uid.encode() + arrival.data_set)
        return StoredInstance(
            sop_instance_uid=arrival.sop_instance_uid,
            series_instance_uid=series_uid,
            study_instance_uid=study_uid,
            sop_class_uid=arrival.sop_class_uid,
            transfer_syntax_uid=arrival.transfer_syntax_uid,
            sha256=digest.hexdigest(),
            size_bytes=len(content),
            path=str(path),
            made_here=ours,
        )

    def _compare(self, instance: StoredInstance, temporary: Path) -> dict[str, bool]:
        """By hash: whether a stored content in another encoding is the same; whole files are read.

        That takes long for large ones, so it is done before the transaction.
        """
        with self._ledger.reading() as connection:
            known = find_instances(connection, instance.sop_instance_uid)
        return {
            digest: self._same(path, temporary)
            for _, digest, path in known
            if digest != instance.sha256 and (self._storage_path / path).exists()
        }

    def _place(
        self,
        connection: Connection,
        arrival: Arrival,
        instance: StoredInstance,
        temporary: Path,
        *,
        compared: Mapping[str, bool],
    ) -> str:
        known, now = find_instances(connection, instance.sop_instance_uid), self._ledger.clock()
        here = [one for one in known if (self._storage_path / one[2]).exists()]
        for key, digest, path in here:
            same = compared.get(digest)
            if digest == instance.sha256 or (self._same(path, temporary) if same is None else same):
                record_receipt(connection, arrival.association, key)
                return KNOWN
        gone = {
            digest: (key, path) for key, digest, path in known if (key, digest, path) not in here
        }
        if instance.sha256 in gone:  # retention removed it, or something else did
            key, path = gone[instance.sha256]
            self._rename(temporary, path)
            restore_instance(connection, key)
            record_receipt(connection, arrival.association, key)
            touch_series(connection, instance, arrival.association, now)
            return STORED
        mark_gone(connection, [key for key, _ in gone.values()], now)
        if known:
            instance = _beside(instance, differs=bool(here))
        if here:
            log.warning("instance differs", sop_instance_uid=instance.sop_instance_uid)
        self._rename(temporary, instance.path)
        key = record_instance(connection, instance, now)
        record_receipt(connection, arrival.association, key)
        touch_series(connection, instance, arrival.association, now)
        return DIFFERENT if here else STORED

    def _same(self, path: str, temporary: Path) -> bool:
        return same_content(self._storage_path / path, temporary.read_bytes())

    def _rename(self, temporary: Path, path: str) -> None:
        final = self._storage_path / path
        if not final.parent.is_dir():
            final.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(final.parent.parent)
            sync_folder(final.parent.parent.parent)
        temporary.rename(final)
        sync_folder(final.parent)

    def watch_disk(self) -> bool:
        """Note when the disk falls below its watermark and when it is above again; nothing to do.

        Raises:
            StorageUnavailableError: the ledger cannot take it now; the next look tries again.
        """
        words = self._why_disk_is_full()
        if bool(words) == self._disk_was_full:
            return False
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            if words:
                since = set_condition(connection, DISK, words, now)
                changed, told = since == now, f"{words}: instances are answered 0xA700"
            else:
                changed, told = clear_condition(connection, DISK), "space again"
            if changed:
                record_event(connection, "disk", told, now=now)
        if changed:
            (log.error if words else log.info)(f"disk: {told}")
        self._disk_was_full = bool(words)
        return False

    def _check_free_disk(self) -> None:
        words = self._why_disk_is_full()
        if words:
            raise StorageUnavailableError(words)

    def _why_disk_is_full(self) -> str:
        try:
            free = shutil.disk_usage(self._storage_path).free
        except OSError as error:
            raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
        if free >= self._minimum_free_bytes:
            return ""
        needed = self._minimum_free_bytes // _MEGABYTE
        return f"Disk full: {free // _MEGABYTE} MB free, {needed} MB needed"


def _beside(instance: StoredInstance, *, differs: bool) -> StoredInstance:
    """The same instance under a name of its own, as another content has or had the usual one."""
    path = Path(instance.path)
    name = f"{path.stem}.{instance.sha256[:16]}.dcm"
    return replace(instance, path=str(path.with_name(name)), differs=differs)
