"""Read the identifiers of a received instance, or refuse it."""

from pathlib import Path
from typing import Protocol

from imaging.derived.provenance import is_made_here
from network.data_sets.examine import examine
from network.data_sets.file_bytes import DataSet, in_memory
from network.data_sets.header_scan import Scanned, scan
from network.data_sets.limits import DataSetBounds, check_pixels
from network.data_sets.negotiated import check_encoding, check_pixel_encoding


class Content(Protocol):
    """A C-STORE request with its data set, as `node.scp.instance_store.ReceivedInstance` is one."""

    @property
    def sop_class_uid(self) -> str: ...
    @property
    def sop_instance_uid(self) -> str: ...
    @property
    def transfer_syntax_uid(self) -> str: ...
    @property
    def file_meta(self) -> bytes: ...
    @property
    def data_set(self) -> DataSet: ...
    @property
    def path(self) -> Path | None: ...


def describe(content: Content, bounds: DataSetBounds) -> Scanned:
    """Identifiers of an instance, by one walk through a regular data set, else by pydicom.

    Raises:
        InstanceError: the data set contradicts the request, cannot be read, or exceeds a bound.
    """
    found = scan(content.data_set, content.transfer_syntax_uid, bounds)
    requested = (content.sop_class_uid, content.sop_instance_uid)
    if found is not None and (found.sop_class_uid, found.sop_instance_uid) == requested:
        return found
    return examined(content, bounds)


def examined(content: Content, bounds: DataSetBounds) -> Scanned:
    """Identifiers of an instance as pydicom reads them; raises as `describe`."""
    check_encoding(content.data_set, content.transfer_syntax_uid, bounds)
    file = content.path or content.file_meta + in_memory(content.data_set)
    data_set = examine(file, content.sop_class_uid, content.sop_instance_uid)
    check_pixel_encoding(data_set, content.data_set, begin=len(content.file_meta))
    check_pixels(data_set, content.data_set, bounds, begin=len(content.file_meta))
    return Scanned(
        sop_class_uid=content.sop_class_uid,
        sop_instance_uid=content.sop_instance_uid,
        study_instance_uid=str(data_set.StudyInstanceUID),
        series_instance_uid=str(data_set.SeriesInstanceUID),
        made_here=is_made_here(data_set),
    )
