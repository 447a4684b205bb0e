"""Files of orders become instances of the inbox: as durable, and as strictly judged."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
from pynetdicom.dsutils import split_dataset

from core.config.settings import Configuration
from core.errors import InstanceError, NotADataSetError, OrderError
from network.scu.outgoing import instance_to_send
from node.completion.series_completion import Tracker
from node.completion.sources.folder import FolderSource
from node.completion.sources.source import FileSource
from node.completion.sources.upload import UploadSource
from node.ledger.database import Ledger
from node.ledger.requests.requested_jobs import IN_DIR, UPLOADS, Order, fail_order, next_waiting
from node.ledger.tables.instances import ABORTED, RELEASED, open_association
from node.scp.instance_store import Arrival, Inbox

FileSources = Mapping[str, Callable[[Configuration, Order], FileSource]]
SOURCES: FileSources = {IN_DIR: FolderSource, UPLOADS: UploadSource}
"""By the root that an order names."""

log = structlog.get_logger("orders")


class Importer:
    """Reads one order's files after the other's; a faulty one fails its own order alone."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        inbox: Inbox,
        *,
        tracker: Tracker,
        sources: FileSources = SOURCES,
    ) -> None:
        """`sources` makes the source of an order's files."""
        self._configuration = configuration
        self._ledger = ledger
        self._inbox = inbox
        self._tracker = tracker
        self._sources = sources

    def read_next(self) -> bool:
        """Read the files that wait longest; whether there were any.

        Raises:
            StorageUnavailableError: disk or ledger cannot take it now; the order waits.
        """
        with self._ledger.reading() as connection:
            order = next_waiting(connection)
        if order is None:
            return False
        make = self._sources.get(order.asked.root)
        if make is None:
            self._fail(order, f"there is no source {order.asked.root} any more")
            return True
        source = make(self._configuration, order)
        try:
            paths = source.find()
            uids = self._receive(source, paths)
            told = " ".join(uids)
            log.info("folder read", order=order.uid, series_instance_uid=told, instances=len(paths))
        except (OrderError, InstanceError) as error:
            self._fail(order, str(error))
        except OSError as error:
            self._fail(order, f"the folder cannot be read ({error.strerror})")
        source.clear()
        return True

    def _receive(self, source: FileSource, paths: Sequence[Path]) -> Sequence[str]:
        """Store them as if an association had brought them; the SeriesInstanceUIDs."""
        with self._ledger.writing() as connection:
            association = open_association(connection, source.sender, self._ledger.clock())
        try:
            for number, path in enumerate(paths, 1):
                self._receive_one(association, path, f"file {number} of {len(paths)}")
        except BaseException:
            self._tracker.source_ended(source, association, ABORTED)
            raise
        return self._tracker.source_ended(source, association, RELEASED)

    def _receive_one(self, association: int, path: Path, place: str) -> None:
        """Names of files are not told: they often hold the patient's."""
        try:
            instance = instance_to_send(path)
            _, offset = split_dataset(path)
            content = path.read_bytes()
            arrival = Arrival(
                association=association,
                sop_class_uid=instance.sop_class_uid,
                sop_instance_uid=instance.sop_instance_uid,
                transfer_syntax_uid=instance.transfer_syntax_uid,
                file_meta=content[:offset],
                data_set=content[offset:],
            )
        except NotADataSetError as error:
            raise OrderError(f"{place} is no whole DICOM instance") from error
        try:
            self._inbox.receive(arrival)
        except InstanceError as error:
            raise OrderError(f"{place}: {error}") from error

    def _fail(self, order: Order, words: str) -> None:
        with self._ledger.writing() as connection:
            fail_order(connection, order, words, self._ledger.clock())
        log.warning("order failed", order=order.uid, reason=words)
