"""Texts written as the bytes that they were read from, and own texts encoded beside them.

pydicom decodes and encodes texts when a data set changes its transfer syntax, with loss where
SpecificCharacterSet is wrong. Values that are encoded already are written as they are.
"""

from collections.abc import MutableSequence

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName

from imaging.instances.character_sets import CharacterSet, ascii_spelling, character_set_of

_TEXTS = frozenset(("SH", "LO", "ST", "LT", "UC", "UT", "PN"))
"""VRs to which SpecificCharacterSet applies (PS3.5 6.1.2.2)."""
_STRINGS = _TEXTS | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}
_SPECIFIC_CHARACTER_SET = 0x00080005
LONGEST_LO = 64
"""Most characters of a value of VR LO (PS3.5 6.2)."""
Element = DataElement | RawDataElement


def encode_texts(
    data_set: Dataset, *, implicit_vr: bool, character_set: CharacterSet | None = None
) -> None:
    """Encode the texts of `data_set` in place, so that a writer copies their bytes.

    Strings that were not decoded keep their bytes, in items too; others are encoded in
    `character_set` (the data set's own if it is not given), and spelled in ASCII where it lacks a
    letter. The data set is then written in little endian with `implicit_vr`. Binary values are
    decoded in the byte order in which they were read; words (OW, OL, ...) are not turned.
    """
    _encode(data_set, character_set or character_set_of(data_set), implicit_vr=implicit_vr)
    correct_ambiguous_vr(data_set, is_little_endian=True)


def text_bytes(data_set: Dataset) -> bytes:
    """All strings of `data_set` and of its items that are not decoded yet, one after another."""
    found = b""
    for tag in list(data_set.keys()):
        element = data_set.get_item(tag)
        if element is not None and _vr(element) == "SQ":
            found += b"".join(text_bytes(item) for item in data_set[tag].value)
        elif isinstance(element, RawDataElement) and _vr(element) in _STRINGS:
            found += element.value or b""
    return found


def _encode(data_set: Dataset, character_set: CharacterSet, *, implicit_vr: bool) -> None:
    for tag in list(data_set.keys()):
        element = data_set.get_item(tag)
        if element is None:
            continue
        vr = _vr(element)
        value = _string(element, vr, character_set)
        if value is not None:
            padding = b"\0" if vr == "UI" else b" "
            value += padding * (len(value) % 2)
            data_set[tag] = RawDataElement(tag, vr, len(value), value, 0, implicit_vr, True)
        elif vr == "SQ":
            for item in data_set[tag].value or ():
                _encode(item, character_set, implicit_vr=implicit_vr)
        else:
            data_set[tag] = data_set[tag]  # decoded, if it was not
    data_set.set_original_encoding(implicit_vr, True, _encodings(data_set))


def _encodings(data_set: Dataset) -> str | MutableSequence[str]:
    """pydicom's names for the character set that `data_set` states, or that it was read with."""
    terms = data_set.get(_SPECIFIC_CHARACTER_SET)
    if terms is not None and terms.value:
        return convert_encodings(terms.value)
    return data_set.original_character_set or default_encoding


def _vr(element: Element) -> str:
    """VR of an element; that of the dictionary where the file states none, or UN."""
    vr = str(element.VR or "UN")
    known = vr == "UN" and dictionary_has_tag(element.tag)
    return dictionary_VR(element.tag) if known else vr


def _string(element: Element, vr: str, character_set: CharacterSet) -> bytes | None:
    """Encoded value of a string; None for another element, which a writer encodes."""
    if vr not in _STRINGS or element.tag == _SPECIFIC_CHARACTER_SET:
        return None
    if isinstance(element, RawDataElement):
        return element.value or b""
    if vr not in _TEXTS:
        return None
    value = element.value
    texts = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    return b"\\".join(_text(one, character_set) for one in texts)


def _text(value: object, character_set: CharacterSet) -> bytes:
    if isinstance(value, PersonName) and value.original_string is not None:
        return value.original_string
    if isinstance(value, bytes):
        return value
    text = "" if value is None else str(value)
    encoded = character_set.encoded(text)
    return ascii_spelling(text).encode("ascii") if encoded is None else encoded
