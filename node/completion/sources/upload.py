"""Files uploaded over HTTP (`web/api/uploads.py`) as sources of requested jobs."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from core.config.settings import Configuration
from core.storage_layout import StorageLayout
from node.completion.sources.by_name import SeriesByName
from node.ledger.requests.requested_jobs import RequestedJob
from node.ledger.requests.requests import UPLOAD


class UploadSource(SeriesByName):
    """The files of one upload, in a folder below the storage folder."""

    def __init__(self, configuration: Configuration, requested_job: RequestedJob) -> None:
        super().__init__(configuration, requested_job, kind=UPLOAD)
        self._folder = StorageLayout(configuration.storage_path).upload(requested_job.uid)

    def find(self) -> Sequence[Path]:
        """Find the files of the upload's only series; raises RequestedJobError and OSError."""
        return self.find_in(self._folder)

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
