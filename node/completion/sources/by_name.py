"""Files of one series on which a pipeline was asked for by name; no rule is asked.

What lies in a folder is complete as it is, so its series is looked at at once. A folder that cannot
be read whole leaves its series as an association that was cut off does: held.
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
from imaging.instances.read_errors import READING_ERRORS
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
    """The one series of images in the files of an order, or the one that it names."""

    def __init__(
        self, configuration: Configuration, requested_job: RequestedJob, *, kind: str
    ) -> None:
        """`kind` is what requests have as their source."""
        self._configuration = configuration
        self._order = requested_job
        self._kind = kind
        self._uid = ""

    @property
    def sender(self) -> Sender:
        """This machine itself."""
        return Sender.of_folder(self._configuration.ae_title)

    def find_in(self, folder: Path) -> Sequence[Path]:
        """The files of the series.

        Raises:
            OrderError: there is none, more than one, or one of its files cannot be read.
            OSError: the folder cannot be read.
        """
        most = self._configuration.web.limits.folder_files
        files = files_below(folder, most=most)
        found, wanted = _images_by_series(files), self._order.asked.wanted
        if wanted and wanted in found:
            self._uid = wanted
            return found[wanted]
        if wanted or not found:
            what = f"of series {wanted} " if wanted else ""
            raise RequestedJobError(
                f"no DICOM images {what}among the {len(files)} files of the folder"
            )
        if len(found) > 1:
            told = ", ".join(sorted(found)[:_TOLD_SERIES])
            told += ", ..." if len(found) > _TOLD_SERIES else ""
            raise RequestedJobError(
                f"the folder holds {len(found)} series, expected one ({told}): name it as "
                "series_instance_uid"
            )
        [(self._uid, paths)] = found.items()
        return paths

    def conclude(self, connection: Connection, end: SourceEnd) -> Sequence[str]:
        """Settle the series at once, unless others send of it; ask for the pipeline."""
        ready_at = end.at + self._configuration.completion.settle_s
        settle_folder(connection, self._uid, now=end.at, ready_at=ready_at)
        is_whole = end.outcome == RELEASED
        words = "read" if is_whole else "not read to its end"
        record_event(connection, EventKind.FOLDER, words, now=end.at, series_instance_uid=self._uid)
        if is_whole:
            self._ask(connection, end.at)
        return [self._uid]

    def _ask(self, connection: Connection, now: float) -> None:
        requested_job, asked = self._order, self._order.asked
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
    """Files of images by SeriesInstanceUID; what is not DICOM or no image is passed over."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in filter(is_dicom_file, files):
        try:
            data_set = pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SeriesInstanceUID"]
            )
            sop_class, uid = str(data_set.get("SOPClassUID", "")), data_set.get("SeriesInstanceUID")
        except Exception as error:
            raise RequestedJobError(
                f"a DICOM file of the folder cannot be read ({type(error).__name__})"
            ) from error
        if not (sop_class and uid):
            _check_as_said(path)
        if "Image Storage" in UID(sop_class).name and uid:
            found[str(uid)].append(path)
    return dict(found)


def _check_as_said(path: Path) -> None:
    """Nothing, where a file is no image; one that contradicts itself may be one, and is not lost.

    Raises:
        OrderError: its data set is encoded otherwise than its transfer syntax says.
    """
    try:
        meta = pydicom.filereader.read_file_meta_info(path)
        check_file_encoding(path, str(meta.get("TransferSyntaxUID", "")))
    except EncodingError as error:
        raise RequestedJobError(f"a DICOM file of the folder: {error}") from error
    except (InstanceError, *READING_ERRORS):
        return  # no image that anybody could read
