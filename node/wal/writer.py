"""Write the logs of associations, and recover them after a crash.

Only instances that the ledger does not know are logged. One that is sent again, perhaps with other
content, is compared with the stored files (`node/scp/instance_store.py`).
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import Connection

from core.priority import Priority
from network.data_sets.file_bytes import Buffer
from node.ledger.database import Ledger
from node.ledger.group_commit import GroupCommit
from node.ledger.tables.first_instances import FirstInstances
from node.ledger.tables.instances import (
    StoredInstance,
    find_instances,
    has_association,
    record_instance,
    record_reception,
    removed_instances,
    touch_series,
)
from node.wal.checkpointer import Checkpointer
from node.wal.open_segments import OpenSegments
from node.wal.segments import KEPT_SUFFIX, SUFFIX, Record, Segment, records_of

_SEGMENT_BYTES = 256_000_000
_SEGMENT_RECORDS = 4000
_SKIPS = 16  # instances that are not logged after one that was known
# above these each instance gets its file at once, which slows the sender down to the disk
_MOST_PENDING_BYTES = 2_000_000_000
_MOST_PENDING = 20_000

log = structlog.get_logger("storage")


class Content(Protocol):
    """The parts of a received instance that are logged."""

    @property
    def association(self) -> int: ...
    @property
    def priority(self) -> Priority: ...
    @property
    def file_meta(self) -> bytes: ...
    @property
    def data_set(self) -> Buffer: ...


class WalWriter:
    """Opens the logs of associations, and recovers those that a crash has left."""

    def __init__(self, folder: Path, ledger: Ledger, checkpointer: Checkpointer) -> None:
        self._folder = folder
        self._ledger = ledger
        self._checkpointer = checkpointer
        self._commits = GroupCommit(ledger, is_logged=True)
        self._first = FirstInstances(ledger.dialect)
        self._open_segments = OpenSegments(self._finish)

    def open(self) -> "WriteAheadLog":
        """Open the log of an association; the disk is used with the first instance only."""
        return WriteAheadLog(
            self._begin,
            self._open_segments.put,
            self._finish,
            checkpointer=self._checkpointer,
            record=self._record,
        )

    def close(self) -> None:
        """Finish the open segments, so that their instances get their files."""
        self._open_segments.close()

    def _begin(self) -> Segment:
        """An open, recycled or new segment; raises OSError."""
        return self._open_segments.take() or Segment(
            self._folder, self._checkpointer.recycled_segments.take()
        )

    def _finish(self, segment: Segment) -> None:
        """Close a segment, and let its instances get their files."""
        with suppress(OSError):  # each of its records was synced before it was answered
            segment.close()
        if segment.size:
            self._checkpointer.take(segment.path)
        else:
            with suppress(OSError):
                segment.path.unlink(missing_ok=True)

    def _record(self, content: Content, instance: StoredInstance) -> bool:
        """Record an instance in the ledger; False if the ledger had it already."""

        def step(connection: Connection) -> bool:
            now, association = self._ledger.clock(), content.association
            return self._first.record(
                connection, instance, association, now, priority=content.priority
            )

        return self._commits.run(step)

    def recover(self) -> int:
        """Read the segments of the last run, before anything is received.

        A segment that cannot be read stays where it is; one with an instance that cannot be
        recovered is kept under another name.

        Returns:
            The number of files that are to be made.

        Raises:
            StorageUnavailableError: the ledger cannot be read or written.
        """
        count = 0
        for segment in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                count += self._recover_segment(segment)
            except OSError as error:  # a bad sector must not keep the node from receiving
                log.error("log cannot be read, kept", log=segment.name, reason=error.strerror)
        if count:
            log.info("instances of the last run are filed", count=count)
        return count

    def _recover_segment(self, segment: Path) -> int:
        """Recover a segment; returns the number of files to be made. Raises OSError."""
        found = [self._recover(record) for record in records_of(segment)]
        if None in found:
            with suppress(FileExistsError):
                os.link(segment, segment.with_suffix(KEPT_SUFFIX))
        self._checkpointer.take(segment)
        return sum(one is True for one in found)

    def _recover(self, record: Record) -> bool | None:
        """Recover an instance; True if its file is to be made, None if it cannot be recovered."""
        instance = StoredInstance(**record.meta["instance"])
        with self._ledger.reading() as connection:
            known = find_instances(connection, instance.sop_instance_uid)
            removed = removed_instances(connection, instance.sop_instance_uid)
            is_ours = has_association(connection, int(record.meta["association"]))
        here = [(sha256, path) for key, sha256, path in known if key not in removed]
        paths = [path for sha256, path in here if self._lacks(sha256, path, instance)]
        if known and not paths:
            return False  # an instance that is known already is answered without a log
        if not (known or is_ours) or not _is_whole(record, instance):
            reason = "damaged, or never answered" if is_ours else "the ledger is of another time"
            log.error(
                "logged instance not filed, log kept",
                sop_instance_uid=instance.sop_instance_uid,
                log=record.segment.with_suffix(KEPT_SUFFIX).name,
                reason=reason,
            )
            return None
        if not known:  # the power went before the ledger was synced
            self._record_again(record, instance)
            paths = [instance.path]
        return self._checkpointer.expect(record, paths[0], instance.series_instance_uid)

    def _lacks(self, sha256: str, path: str, instance: StoredInstance) -> bool:
        """True if a known content is this one, and its file neither exists nor is to be made."""
        if sha256 != instance.sha256 or self._checkpointer.expects(path):
            return False
        return not (self._ledger.storage_path / path).exists()

    def _record_again(self, record: Record, instance: StoredInstance) -> None:
        association = int(record.meta["association"])
        with self._ledger.writing() as connection:
            now = self._ledger.clock()
            key = record_instance(connection, instance, now)
            priority = Priority(int(record.meta.get("priority", Priority.MEDIUM)))
            record_reception(connection, association, key, priority)
            touch_series(connection, instance, association, now)


class WriteAheadLog:
    """The log of one association, used by its thread."""

    def __init__(
        self,
        begin: Callable[[], Segment],
        leave: Callable[[Segment], None],
        finish: Callable[[Segment], None],
        *,
        checkpointer: Checkpointer,
        record: Callable[[Content, StoredInstance], bool],
    ) -> None:
        """`begin` opens a segment, `leave` leaves it to other associations, `finish` ends it.

        `record` writes an instance to the ledger; it returns False if the ledger had it already.
        """
        self._begin = begin
        self._leave = leave
        self._finish = finish
        self._checkpointer = checkpointer
        self._record = record
        self._segment: Segment | None = None
        self._skips = 0

    def write(self, content: Content, instance: StoredInstance) -> bool:
        """Log an instance and record it in the ledger.

        Returns:
            False if it was not logged: it is known already, or too many files are to be made.

        Raises:
            StorageUnavailableError: the ledger failed.
            OSError: the disk failed.
        """
        if self._skips or self._is_far_behind():
            self._skips = max(0, self._skips - 1)
            return False
        if self._segment is None:
            self._segment = self._begin()
        segment, before = self._segment, self._segment.size
        recorded = failed = False
        try:
            recorded = self._append(segment, content, instance)
        except OSError:
            failed = True  # a later sync does not report what this one lost: end the segment
            raise
        finally:
            if not recorded:  # a sender that repeats one instance probably repeats others
                segment.cut(before)
                self._skips = _SKIPS
            if failed or self._is_full(segment):
                self._segment = None
                self._finish(segment)
        return recorded

    def _is_far_behind(self) -> bool:
        checkpointer = self._checkpointer
        return (
            checkpointer.pending_bytes > _MOST_PENDING_BYTES or checkpointer.pending > _MOST_PENDING
        )

    def _is_full(self, segment: Segment) -> bool:
        """True if the segment is full; also if nothing was written to it."""
        too_many = segment.records >= _SEGMENT_RECORDS
        return too_many or segment.size > _SEGMENT_BYTES or not segment.size

    def close(self) -> None:
        """Leave the segment to other associations; without any its instances get their files."""
        segment, self._segment = self._segment, None
        if segment is not None:
            self._leave(segment)

    def _append(self, segment: Segment, content: Content, instance: StoredInstance) -> bool:
        """Append and record an instance; True if it is in the ledger, and its file is tracked."""
        fields = {name: getattr(instance, name) for name in instance.__slots__}
        meta = {
            "association": content.association,
            "priority": int(content.priority),
            "instance": fields,
            "file_meta_bytes": len(content.file_meta),
        }
        record = segment.append(meta, content.file_meta, content.data_set)
        if not self._checkpointer.expect(record, instance.path, instance.series_instance_uid):
            return False
        recorded = False
        try:
            recorded = self._record(content, instance)
        finally:
            if not recorded:
                self._checkpointer.forget(instance.path)
        return recorded


def _is_whole(record: Record, instance: StoredInstance) -> bool:
    """True if the bytes on disk are the instance's; without a sync they may be anything."""
    found = record.data_set_sha256(instance.transfer_syntax_uid, record.meta["file_meta_bytes"])
    return found == instance.sha256
