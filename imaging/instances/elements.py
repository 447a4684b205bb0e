"""Some elements of a regular file, without what pydicom does for each of the others.

Regular: file meta, implicit or explicit VR little endian, known VRs, tags in ascending order,
every length up to the last byte of the file right (PS3.5 section 7), and at most a megabyte
besides the pixels. Of any other file nothing is said here: pydicom reads it, and what is wrong
with it is for pydicom to say. Values that are not plain are converted by pydicom in either case.
"""

import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imaging.instances.plain_values import with_plain_value

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_CHARACTER_SET, _TRANSFER_SYNTAX = 0x00080005, 0x00020010
_META_GROUP = b"\x02\x00"
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_META_BEGINS = 132
_FIRST_BYTES = (16_384, 1 << 20)
"""What is tried; a file with more before its pixels (thousands of frames) is left to pydicom."""
_EXPLICIT, _IMPLICIT = struct.Struct("<HH2sH"), struct.Struct("<HHL")
_LENGTH = struct.Struct("<L")


Read = TypeVar("Read")
_Found = dict[BaseTag, RawDataElement | DataElement]


class _NotRegularError(Exception):
    """Pydicom has to look at it."""


class _TooShortError(Exception):
    """More of the file has to be read."""


class _Element(NamedTuple):
    tag: int
    vr: str | None
    length: int
    begin: int


def read_elements(path: Path, tags: Collection[int], *, pixels: bool) -> FileDataset | None:
    """The elements `tags` of the file `path` as pydicom has them; None where it is not regular.

    Without `pixels` the pixel data is there, whether asked for or not, but has no value.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data_set = _first_that_is_enough(file, partial(_data_set, tags=tags))
        return _with_pixels(data_set, file) if pixels and data_set is not None else data_set


def read_bytes(path: Path, tags: Collection[int]) -> dict[int, bytes] | None:
    """The values of the elements `tags` as they stand, file meta included; None: not regular.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return _first_that_is_enough(file, partial(_bytes, tags=tags))


def _first_that_is_enough(file: BinaryIO, read: Callable[[bytes, int], Read]) -> Read | None:
    """What `read` makes of the file's first bytes and its size; None where it is not regular."""
    size = file.seek(0, 2)
    for first in _FIRST_BYTES:
        file.seek(0)
        try:
            return read(file.read(first), size)
        except (struct.error, _TooShortError):
            continue
        except _NotRegularError:
            return None
    return None


def tags_of(*keywords: str) -> frozenset[int]:
    """The tags of elements by keyword."""
    return frozenset(int(Tag(keyword)) for keyword in keywords)


def _bytes(content: bytes, size: int, tags: Collection[int]) -> dict[int, bytes]:
    if content[128:_META_BEGINS] != b"DICM":
        raise _NotRegularError
    meta, begin = _meta_elements(content)
    syntax = next((one for one in meta if one.tag == _TRANSFER_SYNTAX), None)
    if syntax is None:
        raise _NotRegularError
    uid = (
        content[syntax.begin : syntax.begin + syntax.length]
        .rstrip(b"\0")
        .decode("ascii", "replace")
    )
    implicit = _is_implicit(content, begin, uid)
    every = (*meta, *_elements(content, begin, size, implicit=implicit))
    found = {one.tag: one for one in every if one.tag in tags}
    if any(one.begin + one.length > len(content) for one in found.values()):
        raise _TooShortError
    return {tag: content[one.begin : one.begin + one.length] for tag, one in found.items()}


def _data_set(content: bytes, size: int, tags: Collection[int]) -> FileDataset:
    if content[128:_META_BEGINS] != b"DICM":
        raise _NotRegularError
    file_meta, begin = _file_meta(content)
    implicit = _is_implicit(content, begin, file_meta.get("TransferSyntaxUID"))
    found: dict[BaseTag, RawDataElement] = {}
    kept = {*tags, *_PIXELS, _CHARACTER_SET}
    for element in _elements(content, begin, size, implicit=implicit):
        if element.tag in kept:
            found[BaseTag(element.tag)] = _raw(content, element, implicit=implicit)
    encoding = _encoding(found)
    values: _Found = {tag: with_plain_value(element) for tag, element in found.items()}
    data_set = FileDataset("", values, file_meta=file_meta)
    data_set.set_original_encoding(implicit, True, encoding)
    return data_set


def _with_pixels(data_set: FileDataset, file: BinaryIO) -> FileDataset:
    for tag in _PIXELS:
        element = data_set.get_item(tag, keep_deferred=True) if tag in data_set else None
        if isinstance(element, RawDataElement):
            file.seek(element.value_tell)
            data_set[tag] = element._replace(value=file.read(element.length))
    return data_set


def _file_meta(content: bytes) -> tuple[FileMetaDataset, int]:
    """Group 2, in explicit VR always (PS3.10 section 7.1), and where the data set begins."""
    elements, begin = _meta_elements(content)
    meta: _Found = {BaseTag(one.tag): _raw(content, one, implicit=False) for one in elements}
    return FileMetaDataset(meta), begin


def _meta_elements(content: bytes) -> tuple[list[_Element], int]:
    found, begin = [], _META_BEGINS
    while content[begin : begin + 2] == _META_GROUP:
        element = _element(content, begin, implicit=False)
        if element.length == _UNDEFINED:
            raise _NotRegularError
        found.append(element)
        begin = element.begin + element.length
    return found, begin


def _is_implicit(content: bytes, begin: int, syntax: str | None) -> bool:
    if syntax == ExplicitVRLittleEndian:
        return False
    if syntax != ImplicitVRLittleEndian or content[begin + 4 : begin + 6].isalpha():
        raise _NotRegularError
    return True


def _encoding(found: Mapping[BaseTag, RawDataElement]) -> str | list[str]:
    raw = found.get(BaseTag(_CHARACTER_SET))
    if raw is None:
        return default_encoding
    return convert_encodings(convert_raw_data_element(raw).value)


def _raw(content: bytes, element: _Element, *, implicit: bool) -> RawDataElement:
    """With its value, unless it is of pixels."""
    end = element.begin + element.length
    if element.length == _UNDEFINED:
        raise _NotRegularError
    if end > len(content) and element.tag not in _PIXELS:
        raise _TooShortError
    value = None if element.tag in _PIXELS else content[element.begin : end]
    return RawDataElement(
        BaseTag(element.tag), element.vr, element.length, value, element.begin, implicit, True
    )


def _elements(content: bytes, begin: int, size: int, *, implicit: bool) -> Iterator[_Element]:
    """Those of the top level from `begin` to the end of the file, which has `size` bytes."""
    last = 0
    while begin < size:
        element = _element(content, begin, implicit=implicit)
        if element.tag <= last:
            raise _NotRegularError
        yield element
        last = element.tag
        begin = _end(content, element, implicit=implicit)
    if begin != size:
        raise _NotRegularError


def _element(content: bytes, at: int, *, implicit: bool) -> _Element:
    if implicit:
        group, number, length = _IMPLICIT.unpack_from(content, at)
        return _Element(group << 16 | number, None, length, at + 8)
    group, number, vr, length = _EXPLICIT.unpack_from(content, at)
    if vr in SHORT_VRS:
        return _Element(group << 16 | number, vr.decode("ascii"), length, at + 8)
    if vr not in LONG_VRS:
        raise _NotRegularError
    (length,) = _LENGTH.unpack_from(content, at + 8)
    return _Element(group << 16 | number, vr.decode("ascii"), length, at + 12)


def _end(content: bytes, element: _Element, *, implicit: bool) -> int:
    if element.length != _UNDEFINED:
        return element.begin + element.length
    if element.vr not in (None, "SQ") or element.tag in _PIXELS:
        raise _NotRegularError
    at = element.begin
    while True:
        group, number, length = _IMPLICIT.unpack_from(content, at)
        tag, at = group << 16 | number, at + 8
        if tag == _END_OF_SEQUENCE:
            return at
        if tag != _ITEM:
            raise _NotRegularError
        item_end = None if length == _UNDEFINED else at + length
        at = _end_of_item(content, at, item_end, implicit=implicit)


def _end_of_item(content: bytes, at: int, end: int | None, *, implicit: bool) -> int:
    """Its elements are gone through as pydicom would, so that damage inside it is not missed."""
    while end is None or at < end:
        group, number, _ = _IMPLICIT.unpack_from(content, at)
        if end is None and group << 16 | number == _END_OF_ITEM:
            return at + 8
        at = _end(content, _element(content, at, implicit=implicit), implicit=implicit)
    if at != end:
        raise _NotRegularError
    return at
