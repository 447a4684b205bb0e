"""Importer: stores the files of requested jobs, as durably and strictly as received instances."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
from pynetdicom.dsutils import split_dataset

from core.config.settings import Configuration
from core.errors import InstanceError, NotADataSetError, RequestedJobError
from network.scu.outgoing import instance_to_send
from node.completion.series_completion import SeriesCompletion
from node.completion.sources.folder import FolderSource
from node.completion.sources.source import FileSource
from node.completion.sources.upload import UploadSource
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.requests.requested_jobs import (
    IN_DIR,
    UPLOADS,
    RequestedJob,
    fail_requested_job,
    next_requested_job,
)
from node.ledger.tables.instances import ABORTED, RELEASED, open_association
from node.scp.instance_store import InstanceStore, ReceivedInstance

FileSources = Mapping[str, Callable[[Configuration, RequestedJob], FileSource]]
SOURCES: FileSources = {IN_DIR: FolderSource, UPLOADS: UploadSource}
"""Makers of sources, by the root that a requested job names."""

log = structlog.get_logger("importer")


class Importer(Follower):
    """Imports files, one requested job after the other; a faulty file fails its own job only."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        instance_store: InstanceStore,
        *,
        series_completion: SeriesCompletion,
        sources: FileSources = SOURCES,
    ) -> None:
        """Store the parts; `sources` make the source of a requested job's files, by root."""
        self._configuration = configuration
        self._ledger = ledger
        self._instance_store = instance_store
        self._series_completion = series_completion
        self._sources = sources

    def read_next(self) -> bool:
        """Import the files of the requested job that waits longest; True if there was one.

        Raises:
            StorageUnavailableError: disk or ledger cannot store now; the requested job waits.
        """
        with self._ledger.reading() as connection:
            requested_job = next_requested_job(connection)
        if requested_job is None:
            return False
        make = self._sources.get(requested_job.asked.root)
        if make is None:
            self._fail(requested_job, f"there is no source {requested_job.asked.root} any more")
            return True
        source = make(self._configuration, requested_job)
        try:
            paths = source.find()
            uids = self._receive(source, paths)
            told = " ".join(uids)
            log.info(
                "folder read",
                requested_job=requested_job.uid,
                series_instance_uid=told,
                instances=len(paths),
            )
        except (RequestedJobError, InstanceError) as error:
            self._fail(requested_job, str(error))
        except OSError as error:
            self._fail(requested_job, f"the folder cannot be read ({error.strerror})")
        source.clear()
        return True

    def _receive(self, source: FileSource, paths: Sequence[Path]) -> Sequence[str]:
        """Store the files as if received over an association; return the SeriesInstanceUIDs."""
        with self._ledger.writing() as connection:
            association = open_association(connection, source.sender, self._ledger.clock())
        try:
            for number, path in enumerate(paths, 1):
                self._receive_one(association, path, f"file {number} of {len(paths)}")
        except BaseException:
            self._series_completion.source_ended(source, association, ABORTED)
            raise
        return self._series_completion.source_ended(source, association, RELEASED)

    def _receive_one(self, association: int, path: Path, place: str) -> None:
        """Store one file; errors give its number, as file names often contain a patient's name."""
        try:
            instance = instance_to_send(path)
            _, offset = split_dataset(path)
            content = path.read_bytes()
            received = ReceivedInstance(
                association=association,
                sop_class_uid=instance.sop_class_uid,
                sop_instance_uid=instance.sop_instance_uid,
                transfer_syntax_uid=instance.transfer_syntax_uid,
                file_meta=content[:offset],
                data_set=content[offset:],
            )
        except NotADataSetError as error:
            words = str(error).removeprefix(f"{path.name}: ")
            raise RequestedJobError(f"{place} is not a complete DICOM instance: {words}") from error
        try:
            self._instance_store.receive(received)
        except InstanceError as error:
            raise RequestedJobError(f"{place}: {error}") from error

    def _fail(self, requested_job: RequestedJob, words: str) -> None:
        with self._ledger.writing() as connection:
            fail_requested_job(connection, requested_job, words, self._ledger.clock())
        log.warning("requested job failed", requested_job=requested_job.uid, reason=words)
