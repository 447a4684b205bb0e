"""What keeps a data set from being read, in our own words: tag, keyword, expected and found.

Exceptions of pydicom and Python quote values and speak of code, so their words are never passed
on: the data set is looked at again, and the element at fault is found.
"""

import math
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from core.errors import NotADataSetError, SlicewireError
from core.uids import is_safe_uid
from imaging.instances.element_words import (
    WAY_OUT,
    element_fault,
    element_name,
    encoded_element,
    found_element,
)
from imaging.instances.read_errors import BROKEN, READING_ERRORS

_DEFER_BYTES = 4096
_PREFIX_AT = 128
_FIRST_BYTES = 1024
_Header = tuple[int, str | None, int]
_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_A_UID = "a UID of digits and dots"
_KINDS = MappingProxyType(
    {
        **dict.fromkeys(("US", "SS", "UL", "SL", "IS", "UV", "SV"), "a whole number"),
        **dict.fromkeys(("DS", "FL", "FD"), "a decimal number"),
        "UI": _A_UID,
        "SQ": "items of a sequence",
    }
)
_ANYTHING = "a value that its VR allows"
_ODD = "expected elements as PS3.5 section 7 has them, found others"
_DEFLATED = b"1.2.840.10008.1.2.1.99"


def explain_file(source: Path | BinaryIO, error: Exception, tags: Collection[int] = ()) -> str:
    """Explain why the DICOM file `source` could not be read; `error` is what was raised.

    Args:
        source: a file, or an open one.
        error: only whether it is one of the file system counts.
        tags: attributes that were read; a fault of one of them is named first.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"the file cannot be read ({error.strerror})"
    return f"{_fault_of_file(source, tags) or _ODD}; {WAY_OUT}"


@contextmanager
def explained(
    paths: Iterable[Path], kind: type[SlicewireError] = NotADataSetError
) -> Iterator[None]:
    """Explain an unforeseen error of the block by the first damaged one of the files that it read.

    Raises:
        SlicewireError: of `kind`: an element of a file cannot be read; names both.
    """
    try:
        yield
    except BROKEN as error:
        for path in paths:
            words = _fault_of_file(path, ())
            if words:
                raise kind(f"{path.name}: {words}; {WAY_OUT}") from error
        raise


def explain_data_set(data_set: Dataset, tags: Collection[int] = ()) -> str:
    """Explain why a data set is no instance that can be used; as `explain_file`."""
    return f"{_fault_of_elements(data_set, tags) or _ODD}; {WAY_OUT}"


def _fault_of_file(source: Path | BinaryIO, tags: Collection[int]) -> str:
    """What is wrong with a file, of `tags` at first; empty if pydicom can read all of it."""
    with suppress(OSError):
        if _first_bytes(source)[_PREFIX_AT:][:4] != b"DICM":
            return "expected DICM after a preamble of 128 bytes (PS3.10 7.1), found none"
    last: list[_Header] = []

    def note(tag: BaseTag, vr: str | None, length: int) -> bool:
        last[:] = [(tag, vr, length)]
        return False

    try:
        with _opened(source) as file:
            data_set = read_partial(file, note, defer_size=_DEFER_BYTES)
    except READING_ERRORS:
        return _where_it_breaks(source, last)
    return _fault_of_elements(data_set, tags)


class _Kept:
    """An open file that stays open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> BinaryIO:
        self._file.seek(0)
        return self._file

    def __exit__(self, *_: object) -> None:
        return None


def _opened(source: Path | BinaryIO) -> Any:
    return source.open("rb") if isinstance(source, Path) else _Kept(source)


def _first_bytes(source: Path | BinaryIO) -> bytes:
    with _opened(source) as file:
        return bytes(file.read(_FIRST_BYTES))


def _where_it_breaks(source: Path | BinaryIO, last: list[_Header]) -> str:
    if not last:
        if _DEFLATED in _first_bytes(source):
            return "expected a deflated data set (PS3.5 A.5), found one that does not inflate"
        return "expected file meta information and elements (PS3.10 7.1), found none to read"
    [(tag, vr, length)] = last
    found = encoded_element(tag, vr, length)
    return f"{element_name(tag)}: expected {_expected(tag)}, found {found} that cannot be read"


def _fault_of_elements(data_set: Dataset, tags: Collection[int]) -> str:
    """The first fault among the identifiers, then `tags`, then all others; or empty."""
    meta = getattr(data_set, "file_meta", None)
    if meta is not None and not _is_uid(meta, "TransferSyntaxUID"):
        return element_fault(meta, "TransferSyntaxUID", _A_UID)
    for keyword in _IDENTITY:
        if not _is_uid(data_set, keyword):
            return element_fault(data_set, keyword, _A_UID)
    read = [tag for tag in sorted(tags) if tag in data_set]
    faults = (_fault_of_value(data_set, tag) for tag in read)
    return next(filter(None, faults), "") or next(_unreadable(data_set), "")


def _is_uid(data_set: Dataset, keyword: str) -> bool:
    if keyword in data_set and _is_deferred(data_set, Tag(keyword)):
        return False
    try:
        return is_safe_uid(str(data_set.get(keyword, "")))
    except READING_ERRORS:
        return False


def _fault_of_value(data_set: Dataset, tag: int) -> str:
    """Words for a value that has not the kind or number that PS3.6 says; or empty."""
    vr = _usual_vr(tag)
    if _is_deferred(data_set, tag):
        return _fault(data_set, tag) if vr in _KINDS and vr != "SQ" else ""
    try:
        value = data_set[BaseTag(tag)].value
        is_right = value in (None, "") or (_is_single(tag, value) and _is_kind(vr, value))
    except READING_ERRORS:
        is_right = False
    return "" if is_right else _fault(data_set, tag)


def _unreadable(data_set: Dataset) -> Iterator[str]:
    """Words for each element whose value cannot be converted, within sequences, too."""
    for tag in list(data_set.keys()):
        if _is_deferred(data_set, tag):
            continue
        try:
            value = data_set[tag].value
        except READING_ERRORS:
            yield _fault(data_set, tag)
            continue
        if _is_misplaced(tag, value):
            yield _fault(data_set, tag)
        if isinstance(value, Sequence):
            for item in value:
                yield from (f"{element_name(tag)}: {words}" for words in _unreadable(item))


def _is_misplaced(tag: int, value: Any) -> bool:
    """True for a text where a sequence belongs, and for one with a NUL within."""
    if isinstance(value, Sequence):
        return False
    return (_usual_vr(tag) == "SQ" and bool(value)) or "\0" in str(value)[:_DEFER_BYTES]


def _is_deferred(data_set: Dataset, tag: int) -> bool:
    """True if the value is so long that it was not read."""
    element = data_set.get_item(BaseTag(tag), keep_deferred=True)
    return isinstance(element, RawDataElement) and element.value is None and element.length > 0


def _fault(data_set: Dataset, tag: int) -> str:
    return f"{element_name(tag)}: expected {_expected(tag)}, found {found_element(data_set, tag)}"


def _expected(tag: int) -> str:
    vr = _usual_vr(tag)
    return f"{_KINDS.get(vr, _ANYTHING)} (VR {vr})" if vr else _ANYTHING


def _usual_vr(tag: int) -> str:
    return dictionary_VR(tag).split(" or ")[0] if dictionary_has_tag(tag) else ""


def _is_single(tag: int, value: Any) -> bool:
    several = isinstance(value, list | MultiValue)
    return not several or not dictionary_has_tag(tag) or dictionary_VM(tag) != "1"


def _is_kind(vr: str, value: Any) -> bool:
    kind = _KINDS.get(vr)
    if kind is None:
        return True
    if vr == "SQ":
        return isinstance(value, Sequence)
    several = isinstance(value, list | MultiValue)
    values = value if several else [value]
    if vr == "UI":
        return all(is_safe_uid(str(one)) for one in values)
    numbers = [float(one) for one in values]
    whole = all(map(math.isfinite, numbers)) and all(one == int(one) for one in numbers)
    return whole if kind == "a whole number" else all(map(math.isfinite, numbers))
