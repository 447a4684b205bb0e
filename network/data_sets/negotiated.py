"""Check that a data set is encoded as its transfer syntax says; a contradiction is refused.

The instance is not stored under the transfer syntax that its bytes seem to have: the sender still
has it and learns of the mistake, and other receivers of the instance would have other bytes.
"""

import zlib
from contextlib import suppress

from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from core.errors import EncodingError, NotADataSetError
from imaging.instances.element_walk import UNDEFINED_LENGTH, Encoding, NotRegularError
from imaging.pixels.codestream import LOOK_AT_BYTES, other_compression
from network.data_sets.encoding_walk import (
    ENCODINGS,
    EncodingWalk,
    Found,
)
from network.data_sets.file_bytes import DataSet
from network.data_sets.limits import DataSetBounds, check_encoded

_PIXEL_DATA = 0x7FE00010
_PREAMBLE_BYTES = 128
_FIRST_BYTES = 4096


def check_encoding(data_set: DataSet, transfer_syntax_uid: str, bounds: DataSetBounds) -> None:
    """Check a data set against its bounds and its transfer syntax.

    Raises:
        InstanceError: it exceeds a bound, contradicts its transfer syntax, or does not inflate.
    """
    syntax = UID(transfer_syntax_uid)
    try:
        elements = check_encoded(data_set, syntax, bounds)
    except NotADataSetError as error:
        words = _explain_deflated(data_set, bounds.most_elements)
        if words:
            raise EncodingError(words) from error
        raise
    check_negotiated(elements, syntax, bounds.most_elements)


def check_negotiated(content: DataSet, syntax: UID, most_elements: int) -> None:
    """Check that a data set, inflated if need be, is encoded in `syntax`.

    A data set that cannot be read in any encoding passes: others say what is wrong with it.

    Raises:
        EncodingError: the data set, a sequence or an element is encoded otherwise; names both.
    """
    if content[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM":
        raise EncodingError("a whole DICOM file where a data set belongs")
    expected = encoding_of(syntax)
    found = _walked(content, expected, most_elements, is_encapsulated=bool(syntax.is_encapsulated))
    if found is None:
        _check_wholly_other(content, syntax, most_elements)
        found = _mixed(content, syntax, most_elements)
    if found:
        raise EncodingError(_words(found[0], expected, syntax))


def check_pixel_encoding(data_set: FileDataset, content: DataSet, *, begin: int) -> None:
    """Check that pixel data are encapsulated or native as the transfer syntax says.

    Raises:
        EncodingError: they are not, frames have another compression, or pydicom read the data
            set as explicit VR where implicit is right, or the reverse.
    """
    syntax = UID(data_set.file_meta.TransferSyntaxUID)
    element = (
        data_set.get_item(_PIXEL_DATA, keep_deferred=True) if _PIXEL_DATA in data_set else None
    )
    is_implicit, expected = data_set.original_encoding[0], encoding_of(syntax)
    if is_implicit is not None and is_implicit != syntax.is_implicit_VR:
        raise EncodingError(_words_of_all(Encoding(is_implicit, True), expected))
    if not isinstance(element, RawDataElement) or not element.length:
        return
    is_encapsulated = element.length == UNDEFINED_LENGTH
    if is_encapsulated != syntax.is_encapsulated:
        raise EncodingError(
            _words_of_pixels("encapsulated" if is_encapsulated else "native", syntax)
        )
    if is_encapsulated:
        check_codestream(content, element.value_tell - begin, syntax)


def check_codestream(content: DataSet, position: int, syntax: UID) -> None:
    """Check that the first frame has the compression of `syntax`; an unknown one passes.

    `position` is that of the first item, the offset table. Raises EncodingError.
    """
    first = position + 8 + int.from_bytes(content[position + 4 : position + 8], "little")
    size = int.from_bytes(content[first + 4 : first + 8], "little")
    frame = content[first + 8 : first + 8 + min(size, LOOK_AT_BYTES)]
    if other := other_compression(frame, syntax):
        raise EncodingError(_words_of_pixels(other, syntax))


def _explain_deflated(content: DataSet, most_elements: int) -> str:
    """Encoding of a data set that does not inflate, in words; empty if it is not known."""
    for encoding in ENCODINGS:
        if _walked(content, encoding, most_elements) is not None:
            return f"encoded as {encoding.words}, its transfer syntax is deflated"
    return ""


def encoding_of(syntax: UID) -> Encoding:
    """Encoding of the elements in a transfer syntax (PS3.5 Annex A)."""
    return Encoding(bool(syntax.is_implicit_VR), bool(syntax.is_little_endian))


def _walked(
    content: DataSet, encoding: Encoding, most_elements: int, *, is_encapsulated: bool | None = None
) -> list[Found] | None:
    """Elements that contradict `encoding`; None if the bytes cannot be read in it."""
    walk = EncodingWalk(
        content,
        encoding,
        is_mixed=False,
        is_encapsulated=is_encapsulated,
        most_elements=most_elements,
    )
    try:
        return walk.contradictions()
    except NotRegularError:
        return None


def _mixed(content: DataSet, syntax: UID, most_elements: int) -> list[Found]:
    """Elements in another encoding, as far as the data set can be read."""
    walk = EncodingWalk(
        content,
        encoding_of(syntax),
        is_mixed=True,
        is_encapsulated=bool(syntax.is_encapsulated),
        most_elements=most_elements,
    )
    with suppress(NotRegularError):
        walk.contradictions()
    return walk.found


def _check_wholly_other(content: DataSet, syntax: UID, most_elements: int) -> None:
    expected = encoding_of(syntax)
    for other in ENCODINGS:
        if other != expected and _walked(content, other, most_elements) is not None:
            raise EncodingError(_words_of_all(other, expected))
    if not syntax.is_deflated and _seems_deflated(content):
        raise EncodingError(f"deflated, its transfer syntax is {expected.words}")


def _seems_deflated(content: DataSet) -> bool:
    try:
        first = bytes(content[:_FIRST_BYTES])
        found = zlib.decompressobj(-zlib.MAX_WBITS).decompress(first, _FIRST_BYTES)
    except zlib.error:
        return False
    return found[4:6].isupper() and found[:2] == b"\x08\x00"


def _words(found: Found, expected: Encoding, syntax: UID) -> str:
    tag = f"({found.tag >> 16:04X},{found.tag & 0xFFFF:04X})"
    if found.tag == _PIXEL_DATA:
        return _words_of_pixels(found.words, syntax)
    return f"{tag} is {found.words}, its transfer syntax {expected.words}"


def _words_of_all(found: Encoding, expected: Encoding) -> str:
    return f"encoded as {found.words}, its transfer syntax is {expected.words}"


def _words_of_pixels(found: str, syntax: UID) -> str:
    return f"{found} pixel data, its transfer syntax is {syntax.name}"
