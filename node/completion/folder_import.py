"""Folders of orders become instances of the inbox: as durable, and as strictly judged.

What lies in a folder is complete as it is, so its series is looked at at once. A folder that cannot
be read whole leaves its series as an association that was cut off does: held.
"""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pydicom
import structlog
from pydicom.uid import UID
from pynetdicom.dsutils import split_dataset

from core.config.settings import Configuration
from core.errors import EncodingError, InstanceError, NotADataSetError, OrderError
from core.folders import files_below, folder_below
from core.storage_layout import StorageLayout
from imaging.instances.read_errors import READING_ERRORS
from network.scu.outgoing import check_file_encoding, instance_to_send, is_dicom_file
from network.sender import FOLDER, Sender
from node.completion.tracker import Tracker
from node.ledger.database import Ledger
from node.ledger.requests.orders import (
    UPLOADS,
    Order,
    fail_order,
    next_waiting,
    waiting_uids,
)
from node.ledger.tables.instances import ABORTED, RELEASED, open_association
from node.scp.inbox import Arrival, Inbox

_TOLD_SERIES = 3

log = structlog.get_logger("orders")


class Importer:
    """Reads one folder after the other; a faulty one fails its own order alone."""

    def __init__(
        self, configuration: Configuration, ledger: Ledger, inbox: Inbox, *, tracker: Tracker
    ) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._inbox = inbox
        self._tracker = tracker

    def read_next(self) -> bool:
        """Read the folder that waits longest; whether there was one.

        Raises:
            StorageUnavailableError: disk or ledger cannot take it now; the order waits.
        """
        with self._ledger.reading() as connection:
            order = next_waiting(connection)
        if order is None:
            return False
        try:
            uid, paths = self._series_of(order)
            self._receive(order, uid, paths)
        except (OrderError, InstanceError) as error:
            self._fail(order, str(error))
        except OSError as error:
            self._fail(order, f"the folder cannot be read ({error.strerror})")
        self._remove_upload(order)
        return True

    def _series_of(self, order: Order) -> tuple[str, list[Path]]:
        """The one series of images in the folder, or the one that is wanted."""
        most = self._configuration.web.limits.folder_files
        files = files_below(self._folder(order), most=most)
        found, wanted = _images_by_series(files), order.asked.wanted
        if wanted and wanted in found:
            return wanted, found[wanted]
        if wanted or not found:
            what = f"of series {wanted} " if wanted else ""
            raise OrderError(f"no DICOM images {what}among the {len(files)} files of the folder")
        if len(found) > 1:
            told = ", ".join(sorted(found)[:_TOLD_SERIES])
            told += ", ..." if len(found) > _TOLD_SERIES else ""
            raise OrderError(
                f"the folder holds {len(found)} series, expected one ({told}): name it as "
                "series_instance_uid"
            )
        return next(iter(found.items()))

    def _folder(self, order: Order) -> Path:
        if order.asked.root == UPLOADS:
            return self._upload(order)
        if order.asked.pipeline not in self._configuration.pipelines:
            raise OrderError(f"there is no pipeline {order.asked.pipeline} any more")
        return folder_below(self._configuration.web.in_dir_root, order.asked.folder)

    def _receive(self, order: Order, uid: str, paths: Sequence[Path]) -> None:
        """Through the inbox, as if an association had brought them."""
        now = self._ledger.clock()
        sender = Sender("", self._configuration.ae_title, FOLDER)
        with self._ledger.writing() as connection:
            association = open_association(connection, sender, now)
        outcome = ABORTED
        try:
            for number, path in enumerate(paths, 1):
                self._receive_one(association, path, f"file {number} of {len(paths)}")
            outcome = RELEASED
        finally:
            self._tracker.folder_ended(association, outcome, order.uid, uid)
        log.info("folder read", order=order.uid, series_instance_uid=uid, instances=len(paths))

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

    def _upload(self, order: Order) -> Path:
        return StorageLayout(self._configuration.storage_path).upload(order.uid)

    def _remove_upload(self, order: Order) -> None:
        if order.asked.root == UPLOADS:
            shutil.rmtree(self._upload(order), ignore_errors=True)


def remove_orphaned_uploads(storage_path: Path, ledger: Ledger) -> None:
    """At the start: uploads that were cut off, before anybody uploads again."""
    with ledger.reading() as connection:
        waiting = waiting_uids(connection)
    for folder in StorageLayout(storage_path).uploads.glob("*"):
        if folder.name not in waiting:
            shutil.rmtree(folder, ignore_errors=True)


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
            raise OrderError(
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
        raise OrderError(f"a DICOM file of the folder: {error}") from error
    except (InstanceError, *READING_ERRORS):
        return  # no image that anybody could read
