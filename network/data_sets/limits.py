"""Bound what a data set becomes when it is inflated, parsed and decoded, before that is done."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from core.config.wire import Wire
from core.errors import BeyondBoundsError, NotADataSetError
from imaging.instances.element_walk import IMPLICIT_LE, ITEM, ElementHeaders, Encoding
from imaging.instances.read_errors import BROKEN
from imaging.pixels.codestream import LOOK_AT_BYTES, declared_frame
from network.data_sets.file_bytes import DataSet, FileBytes
from network.data_sets.structure import Structure

_MEGABYTE = 1_000_000
_PIECE_BYTES = 65_536
_PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True, slots=True)
class DataSetBounds:
    """Bounds of a data set, from the configuration's `wire`."""

    deepest: int
    most_elements: int
    most_inflated_bytes: int
    most_decoded_bytes: int

    @classmethod
    def of(cls, wire: Wire) -> "DataSetBounds":
        """Read the bounds of a configuration."""
        return cls(
            wire.maximum_nesting,
            wire.maximum_elements,
            wire.maximum_inflated_mb * _MEGABYTE,
            wire.maximum_decoded_mb * _MEGABYTE,
        )


def check_encoded(data_set: DataSet, transfer_syntax_uid: str, bounds: DataSetBounds) -> DataSet:
    """Check that a data set may be parsed; returns it, inflated if it was deflated.

    Raises:
        BeyondBoundsError: the data set inflates to too much, has too many elements, or its
            sequences are nested too deep.
        NotADataSetError: a deflated data set cannot be inflated.
    """
    syntax = UID(transfer_syntax_uid)
    if syntax.is_deflated:
        data_set = inflate(data_set, bounds.most_inflated_bytes)
    encoding = Encoding(bool(syntax.is_implicit_VR), bool(syntax.is_little_endian))
    structure = Structure(data_set, encoding)
    structure.check(most_elements=bounds.most_elements, deepest=bounds.deepest)
    return data_set


def inflate(deflated: DataSet, most_bytes: int) -> bytes:
    """Inflate a data set (PS3.5 A.5) of at most `most_bytes`.

    Raises:
        BeyondBoundsError: the data set is longer.
        NotADataSetError: the deflated data set is cut short or damaged.
    """
    decoder, pieces, size = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    try:
        for start in range(0, len(deflated), _PIECE_BYTES):
            source = deflated[start : start + _PIECE_BYTES]
            while source and not decoder.eof:
                pieces.append(decoder.decompress(source, most_bytes - size + 1))
                source, size = decoder.unconsumed_tail, size + len(pieces[-1])
                if size > most_bytes:
                    raise BeyondBoundsError(
                        f"a deflated data set of more than {most_bytes // _MEGABYTE} MB"
                    )
    except zlib.error as error:
        raise NotADataSetError("a deflated data set that does not inflate") from error
    if not decoder.eof:
        raise NotADataSetError("a deflated data set that is cut short")
    return b"".join(pieces)


def check_pixels(
    data_set: FileDataset, content: DataSet, bounds: DataSetBounds, *, begin: int = 0
) -> None:
    """Check that the pixels of a data set may be decoded.

    Both the size by the attributes and by each compressed frame's header counts, as decoders
    allocate the latter.

    Args:
        data_set: as pydicom read it.
        content: its bytes, which follow the first `begin` bytes of the DICOM file.
        bounds: the longest decoded pixels.
        begin: bytes of preamble and file meta information.

    Raises:
        BeyondBoundsError: the decoded pixels would be too long.
    """
    for size in (_size_by_header(data_set), sum(_sizes_by_frame(data_set, content, begin))):
        if size > bounds.most_decoded_bytes:
            raise BeyondBoundsError(
                f"pixels decode to {size // _MEGABYTE} MB, "
                f"at most {bounds.most_decoded_bytes // _MEGABYTE} MB are taken"
            )


def _size_by_header(data_set: FileDataset) -> int:
    size = 1
    for keyword, default in (
        ("Rows", 0),
        ("Columns", 0),
        ("SamplesPerPixel", 1),
        ("NumberOfFrames", 1),
        ("BitsAllocated", 8),
    ):
        try:
            size *= max(0, int(data_set.get(keyword) or default))
        except BROKEN:
            return 0  # a decoder fails before it allocates
    return size // 8


def _sizes_by_frame(data_set: FileDataset, content: DataSet, begin: int) -> Iterator[int]:
    if not data_set.file_meta.TransferSyntaxUID.is_encapsulated or _PIXEL_DATA not in data_set:
        return
    element = data_set.get_item(_PIXEL_DATA, keep_deferred=True)
    if isinstance(element, RawDataElement):
        yield from frame_sizes(content, element.value_tell - begin)


def frame_sizes(content: DataSet, position: int) -> Iterator[int]:
    """Decoded size of each compressed frame by its own header, in bytes (PS3.5 A.4).

    `position` is that of the first item in `content`.
    """
    view = content if isinstance(content, FileBytes) else memoryview(content)
    headers = ElementHeaders(view, IMPLICIT_LE)
    while position + 8 <= len(view):
        tag, length = headers.item(position)
        if tag != ITEM:
            return
        frame = declared_frame(view[position + 8 : position + 8 + min(length, LOOK_AT_BYTES)])
        if frame is not None:
            yield frame.size_bytes
        position += 8 + length
