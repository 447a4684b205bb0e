"""Compare the content of two DICOM files, whatever the encoding of each (PS3.5).

To the encoding belong the transfer syntax, byte order, character set, padding, the lengths of
sequences and items, VRs that a writer did not know, and the file meta information. Values decide,
and of pixels the decoded values.
"""

from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import UID

from core.errors import PixelError
from imaging.instances.read_errors import BROKEN
from network.data_sets.element_values import (
    DEFAULT_CHARACTER_SET,
    TEXT_VRS,
    CharacterSet,
    character_set_of,
    same_text,
)
from network.data_sets.encoded_elements import EncodedElement
from network.data_sets.pixel_bytes import PixelFile, digest, same_pixel_bytes

_DEFER_BYTES = 1 << 20
_CHARACTER_SET, _PIXEL_DATA = 0x00080005, 0x7FE00010
_OF_THE_ENCODING = frozenset(
    (
        0x00080001,  # LengthToEnd, retired
        _CHARACTER_SET,
        0x7FE00001,  # ExtendedOffsetTable
        0x7FE00002,  # ExtendedOffsetTableLengths
        0x7FE00003,  # EncapsulatedPixelDataValueTotalLength
        0xFFFCFFFC,  # DataSetTrailingPadding
    )
)
_OF_THE_PIXELS = frozenset(
    (
        0x00082111,  # DerivationDescription
        0x00280004,  # PhotometricInterpretation
        0x00280006,  # PlanarConfiguration
        _PIXEL_DATA,
    )
)
_NONE: BinaryIO = BytesIO()

SamePixels = Callable[[Path, Path], bool]
"""Decodes and compares the pixels of two files; raises PixelError."""


def same_content(stored: Path, other: Path, same_pixels: SamePixels) -> bool:
    """True if two files have the same attributes with the same values, in any encoding.

    Large values are read piece by piece. `same_pixels` is called if all else is the same and the
    encoded pixels do not decide. A file that cannot be read or decoded counts as different.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        with ExitStack() as stack:
            one, two = _read(stored, stack), _read(other, stack)
            alike = _same_files(one, two)
        return same_pixels(stored, other) if alike is None else alike
    except (*BROKEN, PixelError):
        return False


class _Scope(NamedTuple):
    """A data set or an item."""

    data_set: Dataset
    source: BinaryIO
    character_set: CharacterSet

    def element(self, tag: int) -> EncodedElement:
        return EncodedElement(self.data_set, tag, self.source)

    def within(self, item: Dataset) -> "_Scope":
        return _scope(item, _NONE, self.character_set)


def _read(path: Path, stack: ExitStack) -> PixelFile:
    source = stack.enter_context(path.open("rb"))
    data_set = pydicom.dcmread(source, defer_size=_DEFER_BYTES)
    syntax = UID(data_set.file_meta.TransferSyntaxUID)
    if syntax.is_deflated:  # what is deferred lies in what was inflated
        source.seek(0)
        data_set = pydicom.dcmread(source)
    return PixelFile(data_set, source, syntax)


def _root(file: PixelFile) -> _Scope:
    return _scope(file.data_set, file.source, DEFAULT_CHARACTER_SET)


def _scope(data_set: Dataset, source: BinaryIO, inherited: CharacterSet) -> _Scope:
    if _CHARACTER_SET not in data_set:
        return _Scope(data_set, source, inherited)
    found = data_set[_CHARACTER_SET].value or ""
    terms = [found] if isinstance(found, str) else [str(term) for term in found]
    return _Scope(data_set, source, character_set_of(terms))


def _same_files(one: PixelFile, other: PixelFile) -> bool | None:
    """True or False; None if the decoded pixels decide."""
    has_pixels = _PIXEL_DATA in one.data_set and _PIXEL_DATA in other.data_set
    without = _OF_THE_PIXELS if has_pixels else frozenset()
    if not _same_elements(_root(one), _root(other), without):
        return False
    return same_pixel_bytes(one, other) if has_pixels else True


def _same_elements(one: _Scope, other: _Scope, without: frozenset[int] = frozenset()) -> bool:
    tags = _content_tags(one.data_set) - without
    if tags != _content_tags(other.data_set) - without:
        return False
    return all(_same_element(tag, one, other) for tag in sorted(tags))


def _content_tags(data_set: Dataset) -> set[int]:
    """Tags of a data set without group lengths and others that belong to its encoding."""
    return {int(tag) for tag in data_set.keys() if tag.element} - _OF_THE_ENCODING  # noqa: SIM118, values stay encoded


def _same_element(tag: int, one: _Scope, other: _Scope) -> bool:
    first, second = one.element(tag), other.element(tag)
    vrs = {vr for vr in (first.vr, second.vr) if vr} or {_usual_vr(tag)}
    if first.is_empty and second.is_empty:
        return True
    if vrs <= {"SQ", "UN"}:
        items, others = first.items(), second.items()
        if items is not None and others is not None:
            return _same_items((one, items), (other, others))
    if vrs <= TEXT_VRS:
        texts = (first.value(), one.character_set), (second.value(), other.character_set)
        return same_text(min(vrs), *texts)
    return digest(first.binary()) == digest(second.binary())


def _same_items(one: tuple[_Scope, list[Dataset]], other: tuple[_Scope, list[Dataset]]) -> bool:
    (scope, items), (another, others) = one, other
    return len(items) == len(others) and all(
        _same_elements(scope.within(first), another.within(second))
        for first, second in zip(items, others, strict=True)
    )


def _usual_vr(tag: int) -> str:
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    return "OW" if " or " in vr else vr
