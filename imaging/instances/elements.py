"""Fast reading of chosen elements from regular DICOM files; pydicom reads all other files.

A file is regular if it has file meta information, implicit or explicit VR little endian, known
VRs, tags in ascending order, correct lengths up to the last byte (PS3.5 section 7), and at most
1 MiB before the pixels. Functions return None for any other file; the caller then reads it with
pydicom, which also reports what is wrong with it. Values that are not plain are converted by
pydicom in either case.
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

from imaging.instances.element_walk import (
    EXPLICIT_LE,
    ITEM,
    KNOWN_VRS,
    PIXELS,
    UNDEFINED_LENGTH,
    ElementHeader,
    ElementWalk,
    Encoding,
    NotRegularError,
)
from imaging.instances.plain_values import with_plain_value

_CHARACTER_SET, _TRANSFER_SYNTAX = 0x00080005, 0x00020010
_META_GROUP = b"\x02\x00"
_META_BEGINS = 132
_FIRST_BYTES = (16_384, 1 << 20)
"""Bytes read at first and at most; files with more before the pixels are left to pydicom."""

Read = TypeVar("Read")
_Found = dict[BaseTag, RawDataElement | DataElement]


class _TooShortError(Exception):
    """More of the file has to be read."""


class _Element(NamedTuple):
    tag: int
    vr: str | None
    length: int
    begin: int


def read_elements(path: Path, tags: Collection[int], *, pixels: bool) -> FileDataset | None:
    """Read the elements `tags` of the file `path` into a data set; None if it is not regular.

    Pixel data elements are always there; without `pixels`, they have no value.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data_set = _read_beginning(file, partial(_data_set, tags=tags))
        return _with_pixels(data_set, file) if pixels and data_set is not None else data_set


def read_bytes(path: Path, tags: Collection[int]) -> dict[int, bytes] | None:
    """Read the encoded values of the elements `tags`, file meta included; None if not regular.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return _read_beginning(file, partial(_bytes, tags=tags))


def _read_beginning(file: BinaryIO, read: Callable[[bytes, int], Read]) -> Read | None:
    """Call `read` with ever more of the file's first bytes until they suffice; None: irregular."""
    size = file.seek(0, 2)
    for first in _FIRST_BYTES:
        file.seek(0)
        try:
            return read(file.read(first), size)
        except (struct.error, _TooShortError):
            continue
        except NotRegularError:
            return None
    return None


def end_of_file_meta(content: bytes) -> int | None:
    """Position where the file meta information ends (PS3.10 7.1); None if it is not regular.

    `content` is the beginning of the file.
    """
    try:
        end = _meta_elements(content)[1]
    except (struct.error, NotRegularError):
        return None
    return end if end + 2 <= len(content) else None


def tags_of(*keywords: str) -> frozenset[int]:
    """Tags of the given keywords."""
    return frozenset(int(Tag(keyword)) for keyword in keywords)


def _bytes(content: bytes, size: int, tags: Collection[int]) -> dict[int, bytes]:
    meta, begin = _meta_elements(content)
    syntax = next((one for one in meta if one.tag == _TRANSFER_SYNTAX), None)
    if syntax is None:
        raise NotRegularError
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
    file_meta, begin = _file_meta(content)
    implicit = _is_implicit(content, begin, file_meta.get("TransferSyntaxUID"))
    found: dict[BaseTag, RawDataElement] = {}
    kept = {*tags, *PIXELS, _CHARACTER_SET}
    for element in _elements(content, begin, size, implicit=implicit):
        if element.tag in kept:
            found[BaseTag(element.tag)] = _raw(content, element, implicit=implicit)
    encoding = _encoding(found)
    values: _Found = {tag: with_plain_value(element) for tag, element in found.items()}
    data_set = FileDataset("", values, file_meta=file_meta)
    data_set.set_original_encoding(implicit, True, encoding)
    return data_set


def _with_pixels(data_set: FileDataset, file: BinaryIO) -> FileDataset:
    for tag in PIXELS:
        element = data_set.get_item(tag, keep_deferred=True) if tag in data_set else None
        if isinstance(element, RawDataElement):
            file.seek(element.value_tell)
            data_set[tag] = element._replace(value=file.read(element.length))
    return data_set


def _file_meta(content: bytes) -> tuple[FileMetaDataset, int]:
    """File meta information, always explicit VR (PS3.10 7.1), and where the data set begins."""
    elements, begin = _meta_elements(content)
    meta: _Found = {BaseTag(one.tag): _raw(content, one, implicit=False) for one in elements}
    return FileMetaDataset(meta), begin


def _meta_elements(content: bytes) -> tuple[list[_Element], int]:
    if content[128:_META_BEGINS] != b"DICM":
        raise NotRegularError
    walk, found, begin = ElementWalk(content, EXPLICIT_LE), [], _META_BEGINS
    while content[begin : begin + 2] == _META_GROUP:
        element = _element(walk.element(begin))
        if element.length == UNDEFINED_LENGTH:
            raise NotRegularError
        found.append(element)
        begin = element.begin + element.length
    return found, begin


def _is_implicit(content: bytes, begin: int, syntax: str | None) -> bool:
    if syntax == ExplicitVRLittleEndian:
        return False
    if syntax != ImplicitVRLittleEndian or content[begin + 4 : begin + 6].isalpha():
        raise NotRegularError
    return True


def _encoding(found: Mapping[BaseTag, RawDataElement]) -> str | list[str]:
    raw = found.get(BaseTag(_CHARACTER_SET))
    if raw is None:
        return default_encoding
    return convert_encodings(convert_raw_data_element(raw).value)


def _raw(content: bytes, element: _Element, *, implicit: bool) -> RawDataElement:
    """pydicom's raw element, without a value for pixel data."""
    end = element.begin + element.length
    if element.length == UNDEFINED_LENGTH:
        raise NotRegularError
    if end > len(content) and element.tag not in PIXELS:
        raise _TooShortError
    value = None if element.tag in PIXELS else content[element.begin : end]
    return RawDataElement(
        BaseTag(element.tag), element.vr, element.length, value, element.begin, implicit, True
    )


def _elements(content: bytes, begin: int, size: int, *, implicit: bool) -> Iterator[_Element]:
    """Yield the top-level elements from `begin` to the end of the file of `size` bytes."""
    walk = ElementWalk(content, Encoding(implicit, True), size=size, is_deep=False)
    read, last = walk.headers.element, 0
    while begin < size:
        header = read(begin)
        tag, vr, length, value = header
        if not last < tag < ITEM or vr not in KNOWN_VRS:
            raise NotRegularError
        yield _Element(tag, vr.decode("ascii") or None, length, value)
        last = tag
        begin = walk.end_of(header) if length == UNDEFINED_LENGTH else value + length
    if begin != size:
        raise NotRegularError


def _element(header: ElementHeader) -> _Element:
    tag, vr, length, begin = header
    return _Element(tag, vr.decode("ascii") or None, length, begin)
