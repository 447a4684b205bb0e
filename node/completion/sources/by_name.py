"""Files of one series for a job that names its pipeline; routing rules do not apply.

The files in a folder are complete, so their series is judged at once. If one cannot be read, the
series is held, as after an aborted association.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pydicom
from pydicom.uid import UID
from sqlalchemy import Connection

from core.config.settings import Configuration
from core.errors import EncodingError, InstanceError, RequestedJobError
from core.folders import files_below
from core.uids import is_safe_uid
from imaging.instances.element_words import WAY_OUT, element_fault, told_uid
from imaging.instances.read_errors import READING_ERRORS
from imaging.instances.reading_faults import explain_file
from network.scu.outgoing import check_file_encoding, is_dicom_file
from network.sender import Sender
from node.completion.sources.source import SourceEnd
from node.ledger.event_kinds import EventKind
from node.ledger.requests.requested_jobs import RequestedJob, mark_read
from node.ledger.requests.requests import ask_by_name
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import RELEASED
from node.ledger.tables.series import settle_folder

_TOLD_SERIES = 3


class SeriesByName:
    """The only series of images in a requested job's files, or the series that the job names."""

    def __init__(
        self, configuration: Configuration, requested_job: RequestedJob, *, kind: str
    ) -> None:
        """Store the job; `kind` is the source of its request in the ledger."""
        self._configuration = configuration
        self._requested_job = requested_job
        self._kind = kind
        self._uid = ""

    @property
    def sender(self) -> Sender:
        """The sender recorded for the files: this machine."""
        return Sender.of_folder(self._configuration.ae_title)

    def find_in(self, folder: Path) -> Sequence[Path]:
        """Find the files of the series.

        Raises:
            RequestedJobError: there is no series, more than one, or a file cannot be read.
            OSError: the folder cannot be read.
        """
        most = self._configuration.web.limits.folder_files
        files = files_below(folder, most=most)
        found, wanted = _images_by_series(files), self._requested_job.asked.wanted
        if wanted and wanted in found:
            self._uid = wanted
            return found[wanted]
        if wanted or not found:
            what = f"of series {wanted} " if wanted else ""
            raise RequestedJobError(
                f"no DICOM images {what}among the {len(files)} files of the folder"
            )
        if len(found) > 1:
            told = ", ".join(map(told_uid, sorted(found)[:_TOLD_SERIES]))
            told += ", ..." if len(found) > _TOLD_SERIES else ""
            raise RequestedJobError(
                f"the folder holds {len(found)} series, expected one ({told}): name it as "
                "series_instance_uid"
            )
        [(self._uid, paths)] = found.items()
        return paths

    def conclude(self, connection: Connection, end: SourceEnd) -> Sequence[str]:
        """Make the series due, unless an association sends it at present, and request the job."""
        ready_at = end.at + self._configuration.completion.settle_s
        settle_folder(connection, self._uid, now=end.at, ready_at=ready_at)
        is_whole = end.outcome == RELEASED
        words = "read" if is_whole else "not read to its end"
        record_event(connection, EventKind.FOLDER, words, now=end.at, series_instance_uid=self._uid)
        if is_whole:
            self._ask(connection, end.at)
        return [self._uid]

    def _ask(self, connection: Connection, now: float) -> None:
        requested_job, asked = self._requested_job, self._requested_job.asked
        mark_read(connection, requested_job.uid, self._uid)
        ask_by_name(
            connection,
            self._uid,
            order_uid=requested_job.uid,
            source=self._kind,
            asked={
                "pipeline": asked.pipeline,
                "destinations": list(asked.destinations),
                "person": asked.person,
                "address": asked.address,
                "created_at": requested_job.created_at,
            },
            now=now,
        )


def _images_by_series(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Group files of images by SeriesInstanceUID; skip files that are not DICOM or not images."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in filter(is_dicom_file, files):
        try:
            data_set = pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SeriesInstanceUID"]
            )
            sop_class, uid = str(data_set.get("SOPClassUID", "")), data_set.get("SeriesInstanceUID")
        except Exception as error:
            words = explain_file(path, error)
            raise RequestedJobError(
                f"a DICOM file of the folder cannot be read: {words}"
            ) from error
        if not (sop_class and uid):
            _check_encoding(path)
        if "Image Storage" in UID(sop_class).name and uid:
            if not is_safe_uid(str(uid)):
                words = element_fault(data_set, "SeriesInstanceUID", "a UID of digits and dots")
                raise RequestedJobError(f"a DICOM file of the folder: {words}; {WAY_OUT}")
            found[str(uid)].append(path)
    return dict(found)


def _check_encoding(path: Path) -> None:
    """Check the encoding of a file without the UIDs of an image, which a wrong encoding could hide.

    Raises:
        RequestedJobError: the data set is not encoded as its transfer syntax says.
    """
    try:
        meta = pydicom.filereader.read_file_meta_info(path)
        check_file_encoding(path, str(meta.get("TransferSyntaxUID", "")))
    except EncodingError as error:
        raise RequestedJobError(f"a DICOM file of the folder: {error}") from error
    except (InstanceError, *READING_ERRORS):
        return  # not a readable image
