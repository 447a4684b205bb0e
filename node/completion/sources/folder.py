"""Folders below `web.in_dir_root` as sources of requested jobs."""

from collections.abc import Sequence
from pathlib import Path

from core.config.settings import Configuration
from core.errors import RequestedJobError
from core.folders import folder_below
from node.completion.sources.by_name import SeriesByName
from node.ledger.requests.requested_jobs import RequestedJob
from node.ledger.requests.requests import FROM_FOLDER


class FolderSource(SeriesByName):
    """A folder of a user, which is never changed."""

    def __init__(self, configuration: Configuration, requested_job: RequestedJob) -> None:
        super().__init__(configuration, requested_job, kind=FROM_FOLDER)

    def find(self) -> Sequence[Path]:
        """Find the files of the folder's only series; raises RequestedJobError and OSError."""
        asked = self._requested_job.asked
        if asked.pipeline not in self._configuration.pipelines:
            raise RequestedJobError(f"there is no pipeline {asked.pipeline} any more")
        return self.find_in(folder_below(self._configuration.web.in_dir_root, asked.folder))

    def clear(self) -> None:
        """Do nothing: the folder belongs to the user."""
