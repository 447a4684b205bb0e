"""Store received instances durably, on disk and in the ledger."""

import hashlib
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from core.config.wire import Wire
from core.durable import sync_file, sync_folder, write_synced
from core.errors import BeyondBoundsError, EncodingError, StorageUnavailableError
from core.priority import Priority
from core.storage_layout import IN_LEDGER, StorageLayout, other_content
from core.uids import is_derived_uid
from imaging.instances.element_words import told_uid
from network.data_sets.describe import describe
from network.data_sets.file_bytes import DataSet, in_memory
from network.data_sets.limits import DataSetBounds
from network.data_sets.same_content import same_content
from network.scu.transcoder import Transcoder
from node.ledger.database import Ledger
from node.ledger.tables.instances import (
    StoredInstance,
    find_instances,
    mark_gone,
    record_instance,
    record_reception,
    restore_instance,
    touch_series,
)
from node.scp.watermark import Watermark
from node.wal.checkpointer import Checkpointer
from node.wal.writer import Content, WalWriter, WriteAheadLog

STORED, KNOWN, DIFFERENT = "stored", "known", "different"


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """An instance of a C-STORE request: its identifiers, and the DICOM file of its data set."""

    association: int
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    file_meta: bytes
    """Preamble, prefix and file meta information."""
    data_set: DataSet
    sha256: str = ""
    """SHA-256 of transfer syntax and data set, if it is known already."""
    path: Path | None = None
    """A file with file meta and data set, not synced yet; its owner removes it."""
    priority: Priority = Priority.MEDIUM
    """Priority of the C-STORE request."""

    @property
    def size_bytes(self) -> int:
        """Size of the DICOM file."""
        return len(self.file_meta) + len(self.data_set)


class InstanceStore:
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
        """`bounds` are those of an empty configuration if not given."""
        self._storage_path = storage_path
        self._ledger = ledger
        self._root_uid = root_uid
        self._bounds = bounds or DataSetBounds.of(Wire())
        self.folder = StorageLayout(storage_path).incoming
        """Folder of what is being received, and of the log's segments."""
        self.checkpointer = Checkpointer(storage_path, self.folder, ledger.sync)
        """Makes the files of logged instances."""
        self.wal_writer = WalWriter(self.folder, ledger, self.checkpointer)
        self._transcoder = Transcoder()
        self.watermark = Watermark(
            storage_path,
            ledger,
            minimum_free_mb,
            promised_bytes=lambda: self.checkpointer.pending_bytes,
        )

    def receive(self, received: ReceivedInstance, segments: WriteAheadLog | None = None) -> str:
        """Store one instance durably.

        With `segments`, the log of the calling thread, its file may be made afterwards.

        Returns:
            `stored`, `known` (the same content was stored before) or `different` (another was).

        Raises:
            InstanceError: the data set cannot be read, or contradicts the request.
            StorageUnavailableError: disk or ledger cannot take the instance now.
        """
        self.watermark.check()
        instance = self.describe(received)
        try:
            content = cast(Content, received)  # without a path it is in memory
            if segments is not None and received.path is None and segments.write(content, instance):
                return STORED
        except OSError as error:
            raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
        return self._receive_file(received, instance)

    def _receive_file(self, received: ReceivedInstance, instance: StoredInstance) -> str:
        """Store an instance in a file of its own at once."""
        temporary = received.path or self.folder / uuid.uuid4().hex
        try:
            self._write(received, temporary)
            compared = self._compare(instance, temporary)
            with self._ledger.writing() as connection:
                return self._place(connection, received, instance, temporary, compared=compared)
        except OSError as error:
            raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
        finally:
            with suppress(OSError):  # a disk that became read-only; the next start clears it
                temporary.unlink(missing_ok=True)

    def describe(self, received: ReceivedInstance) -> StoredInstance:
        """Read the identifiers that the ledger records; raises InstanceError."""
        uid, syntax = received.sop_instance_uid, received.transfer_syntax_uid
        try:
            found = describe(received, self._bounds)
        except (BeyondBoundsError, EncodingError) as error:
            raise type(error)(f"Instance {told_uid(uid)}: {error}") from error
        study_uid, series_uid = found.study_instance_uid, found.series_instance_uid
        digest = received.sha256 or _sha256(syntax, received.data_set)
        return StoredInstance(
            sop_instance_uid=uid,
            series_instance_uid=series_uid,
            study_instance_uid=study_uid,
            sop_class_uid=received.sop_class_uid,
            transfer_syntax_uid=syntax,
            sha256=digest,
            size_bytes=received.size_bytes,
            path=str(IN_LEDGER.instance(study_uid, series_uid, uid)),
            made_here=found.made_here or is_derived_uid(self._root_uid, uid),
        )

    def _write(self, received: ReceivedInstance, temporary: Path) -> None:
        if received.path is None:
            write_synced(temporary, received.file_meta, in_memory(received.data_set))
            return
        sync_file(temporary)
        found = temporary.stat().st_size
        if found != received.size_bytes:
            raise StorageUnavailableError(
                f"Storage failed: a file has {found} bytes, {received.size_bytes} were written"
            )

    def _compare(self, instance: StoredInstance, temporary: Path) -> dict[str, bool]:
        """Compare the file with every other stored content of its UID.

        Whole files are read, which may take long, so this is done before the transaction.

        Returns:
            By SHA-256 of a stored content: True if it is the same in another encoding.
        """
        with self._ledger.reading() as connection:
            known = find_instances(connection, instance.sop_instance_uid)
        return {
            digest: self._same(path, temporary)
            for _, digest, path in known
            if self._is_here(path, digest) and digest != instance.sha256
        }

    def _place(
        self,
        connection: Connection,
        received: ReceivedInstance,
        instance: StoredInstance,
        temporary: Path,
        *,
        compared: Mapping[str, bool],
    ) -> str:
        known, now = find_instances(connection, instance.sop_instance_uid), self._ledger.clock()
        here = [one for one in known if self._is_here(one[2], one[1])]
        for key, digest, path in here:
            same = compared.get(digest)
            if digest == instance.sha256 or (self._same(path, temporary) if same is None else same):
                record_reception(connection, received.association, key, received.priority)
                if not restore_instance(connection, key):
                    return KNOWN
                touch_series(connection, instance, received.association, now)
                return STORED  # retention was about to remove it
        gone = {
            digest: (key, path) for key, digest, path in known if (key, digest, path) not in here
        }
        if instance.sha256 in gone:  # retention removed it, or something else did
            key, path = gone[instance.sha256]
            self._rename(temporary, path)
            restore_instance(connection, key)
            record_reception(connection, received.association, key, received.priority)
            touch_series(connection, instance, received.association, now)
            return STORED
        mark_gone(connection, [key for key, _ in gone.values()], now)
        if known:
            instance = _beside(instance, differs=bool(here))
        self._rename(temporary, instance.path)
        key = record_instance(connection, instance, now)
        record_reception(connection, received.association, key, received.priority)
        touch_series(connection, instance, received.association, now)
        return DIFFERENT if here else STORED

    def look_at_disk(self) -> bool:
        """Remove unused segments, and note whether the disk has room; a round of the node.

        Returns:
            False: nothing else is due.

        Raises:
            StorageUnavailableError: the ledger cannot take it now; the next round tries again.
        """
        self.checkpointer.recycled_segments.drop_old()
        self.watermark.watch()
        if self.watermark.was_full:
            self.checkpointer.recycled_segments.drop_all()
        return False

    def stop(self, within_s: float) -> None:
        """Make the files of logged instances, for at most `within_s` seconds, and stop."""
        self.wal_writer.close()
        self.checkpointer.stop(within_s)
        self._transcoder.close()

    def _is_here(self, path: str, sha256: str) -> bool:
        """True if a file that the ledger knows exists; a logged instance gets its file first."""
        self.checkpointer.make_now(path, sha256)
        return (self._storage_path / path).exists()

    def _same(self, path: str, temporary: Path) -> bool:
        return same_content(self._storage_path / path, temporary, self._transcoder.same_pixels)

    def _rename(self, temporary: Path, path: str) -> None:
        final = self._storage_path / path
        self.checkpointer.folders.make(final.parent)
        temporary.rename(final)
        sync_folder(final.parent)


def _sha256(transfer_syntax_uid: str, data_set: DataSet) -> str:
    digest = hashlib.sha256(transfer_syntax_uid.encode())
    digest.update(in_memory(data_set))
    return digest.hexdigest()


def _beside(instance: StoredInstance, *, differs: bool) -> StoredInstance:
    """The instance with a file name of its own, as another content has or had the usual name."""
    path = other_content(Path(instance.path), instance.sha256)
    return replace(instance, path=str(path), differs=differs)
