"""Siemens private elements that mark an image as a mosaic of slices.

The layout of the CSA header is taken from public readers: names of 64 bytes, each followed by
counts and items, all little endian.
"""

import struct

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from imaging.instances.read_errors import READING_ERRORS

_CREATORS = ((0x00190010, "SIEMENS MR HEADER"), (0x00290010, "SIEMENS CSA HEADER"))
_COUNT, _HEADER = 0x0019100A, 0x00291010
CSA_TAGS = frozenset({_COUNT, _HEADER, *(tag for tag, _ in _CREATORS)})
_NAME = b"NumberOfImagesInMosaic\0"
_NAME_BYTES, _COUNTS, _ITEM_COUNTS = 64, struct.Struct("<i4siii"), struct.Struct("<iiii")


def mosaic_images(data_set: Dataset) -> int:
    """Number of slices in a Siemens mosaic (NumberOfImagesInMosaic); 0 if it is not stated."""
    try:
        return _stated(data_set) or _in_header(data_set)
    except READING_ERRORS:
        return 0


def _stated(data_set: Dataset) -> int:
    value = _private(data_set, _COUNT, 0)
    if isinstance(value, bytes):
        return int.from_bytes(value[:2], "little")
    return int(value) if isinstance(value, int) else 0


def _in_header(data_set: Dataset) -> int:
    content = _private(data_set, _HEADER, 1)
    if not isinstance(content, bytes) or _NAME not in content:
        return 0
    at = content.index(_NAME)
    at += _NAME_BYTES
    items = _COUNTS.unpack_from(content, at)[3]
    at += _COUNTS.size
    for _ in range(items):
        length = _ITEM_COUNTS.unpack_from(content, at)[1]
        at += _ITEM_COUNTS.size
        text = content[at : at + length].split(b"\0")[0].strip()
        if text:
            return int(text)
        at += -(-length // 4) * 4
    return 0


def _private(data_set: Dataset, tag: int, creator: int) -> object:
    block, name = _CREATORS[creator]
    if Tag(tag) not in data_set or Tag(block) not in data_set:
        return None
    if str(data_set[block].value).strip() != name:
        return None
    return data_set[tag].value
