"""Checks of returned images against those sent: unchanged, or derived from them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from core.errors import GeometryError, PixelError
from imaging.geometry.frames_of_reference import are_frames_separate
from imaging.geometry.plane import corner_shift_mm
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.pixels.reader import read_pixels

_TOLERANCE_MM = 0.01
_PIXEL_GROUP = 0x7FE0
Image = tuple[str, int | None]
"""SOP Instance UID, and number of the frame if any."""


def find_changes(returned: Path, sent: Path) -> list[str]:
    """Keywords of the attributes that differ between two files, regardless of encoding."""
    first, second = pydicom.dcmread(returned), pydicom.dcmread(sent)
    changes = list(_changes(first, second))
    same_syntax = first.file_meta.TransferSyntaxUID == second.file_meta.TransferSyntaxUID
    if same_syntax or "PixelData" not in first or "PixelData" not in second:
        return changes
    changes = [change for change in changes if change != "PixelData"]
    try:
        same = np.array_equal(read_pixels(returned), read_pixels(sent))
    except PixelError:
        same = False
    return changes if same else [*changes, "PixelData"]


def _changes(first: Dataset, second: Dataset) -> Iterator[str]:
    for tag in sorted({*first.keys(), *second.keys()}):
        if tag.element == 0:
            continue  # group lengths belong to the encoding
        if tag not in first or tag not in second or not _is_same(first, second, tag):
            keyword = pydicom.datadict.keyword_for_tag(tag)
            yield keyword or str(tag)


def _is_same(first: Dataset, second: Dataset, tag: pydicom.tag.BaseTag) -> bool:
    one, other = first.get_item(tag), second.get_item(tag)
    if isinstance(one, RawDataElement) and isinstance(other, RawDataElement):
        if one.value == other.value:
            return True
        if tag.group == _PIXEL_GROUP:
            return False
    left, right = first[tag], second[tag]
    if left.VR == "SQ" and right.VR == "SQ":
        return _is_same_sequence(left, right)
    return bool(left.value == right.value)


def _is_same_sequence(first: DataElement, second: DataElement) -> bool:
    pairs = zip(first.value, second.value, strict=False)
    same_length = len(first.value) == len(second.value)
    return same_length and not any(list(_changes(one, other)) for one, other in pairs)


def derived_faults(headers: Sequence[Header], sent: Mapping[str, Header]) -> Iterator[str]:
    """Faults of one derived series, as text."""
    sent_series = {header.series_instance_uid for header in sent.values()}
    separate = _with_separate_frames(sent)
    sources: list[Image] = []
    yield from _frame_faults(headers)
    for header in headers:
        uid = header.sop_instance_uid
        if header.series_instance_uid in sent_series:
            yield f"new instance {uid} in series {header.series_instance_uid}, which was sent"
        found = source_images(header.path)
        unknown = [source for source, _ in found if source not in sent]
        if not found:
            yield f"instance {uid} names no source image"
        elif unknown:
            yield f"instance {uid} names the source {unknown[0]}, which was not sent"
        else:
            sources += found
            if len(found) == 1:
                source = _image(sent, found[0])
                if source.series_instance_uid not in separate:
                    yield from _relation_faults(header, source)
                yield from _place_faults(header, source)
    repeated = len(sources) - len(set(sources))
    if repeated:
        yield f"series {headers[0].series_instance_uid}: {repeated} source images named twice"


def source_images(path: Path) -> list[Image]:
    """Images in SourceImageSequence of the file `path`."""
    data_set = pydicom.dcmread(path, stop_before_pixels=True)
    items = data_set.get("SourceImageSequence") or ()
    return [(str(item.get("ReferencedSOPInstanceUID", "")), _frame_of(item)) for item in items]


def _frame_of(item: Dataset) -> int | None:
    number = item.get("ReferencedFrameNumber")
    return None if number is None else int(number)


def _image(sent: Mapping[str, Header], image: Image) -> Header:
    """Header of the instance, or of the frame with that number."""
    uid, frame = image
    if frame is None:
        return sent[uid]
    return next((one for one in read_headers(sent[uid].path) if one.image == image), sent[uid])


def _with_separate_frames(sent: Mapping[str, Header]) -> set[str]:
    """UIDs of the series in which each instance has its own frame of reference."""
    by_series: dict[str, list[Header]] = {}
    for header in sent.values():
        by_series.setdefault(header.series_instance_uid, []).append(header)
    return {uid for uid, headers in by_series.items() if are_frames_separate(headers)}


def _frame_faults(headers: Sequence[Header]) -> Iterator[str]:
    frames = {header.frame_of_reference_uid for header in headers}
    if len(frames) > 1:
        uid = headers[0].series_instance_uid
        yield f"series {uid}: {len(frames)} frames of reference, expected one"


def _relation_faults(header: Header, source: Header) -> Iterator[str]:
    if source.frame_of_reference_uid not in ("", header.frame_of_reference_uid):
        uid = header.sop_instance_uid
        yield f"instance {uid} is in another frame of reference than its source"


def _place_faults(header: Header, source: Header) -> Iterator[str]:
    uid = header.sop_instance_uid
    if (header.rows, header.columns) != (source.rows, source.columns):
        yield f"instance {uid} has another size than its source"
        return
    try:
        shift_mm = corner_shift_mm(header, source)
    except GeometryError as error:
        if source.image_position_mm is not None:
            yield str(error)
        return
    if shift_mm > _TOLERANCE_MM:
        yield f"instance {uid} lies {shift_mm:.3f} mm beside its source, expected {_TOLERANCE_MM}"
