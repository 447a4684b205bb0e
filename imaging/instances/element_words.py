"""Elements of a data set in words: tag, keyword, VR and length, never a value.

Texts for people, logs and peers name an element by these functions, as any value may be a
patient's, also where the standard has a code, a number or a UID.
"""

from collections.abc import Collection

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from core.uids import MAX_UID_LENGTH, is_safe_uid
from imaging.instances.element_walk import KNOWN_VRS, UNDEFINED_LENGTH

_ROOTS, _DOTS_OF_NO_DATE = ("0.", "1.", "2."), 4
WAY_OUT = "have it corrected where it was made, and sent again"
PHOTOMETRIC_INTERPRETATIONS = frozenset(
    (
        *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "XYB", "HSV", "ARGB", "CMYK"),
        *("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"),
    )
)
"""Defined terms of PhotometricInterpretation (PS3.3 C.7.6.3.1.2), the retired ones, too."""
MODALITIES = frozenset(
    (
        *("CT", "MR", "PT", "NM", "US", "CR", "DX", "DR", "MG", "IO", "PX", "GM", "SM", "XC"),
        *("XA", "RF", "ES", "OP", "OPT", "OCT", "OT", "SC", "SR", "SEG", "REG", "PR", "KO", "DOC"),
        *("RTIMAGE", "RTDOSE", "RTSTRUCT", "RTPLAN", "RTRECORD", "RTSEGANN", "RTRAD", "HC"),
    )
)
"""Defined terms of Modality that occur with images and radiotherapy (PS3.3 C.7.3.1.1.1)."""


def element_name(tag: int) -> str:
    """Tag and keyword, such as `(0028,0010) Rows`; private tags have no keyword.

    Other tags that PS3.6 lacks are not told: in a damaged data set, a value is taken for a tag.
    """
    if dictionary_has_tag(tag):
        return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword_for_tag(tag)}".rstrip()
    is_text = all(0x20 <= byte < 0x7F for byte in tag.to_bytes(4, "big"))
    if is_text or not Tag(tag).is_private:
        return "an unknown tag"
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def element_fault(data_set: Dataset, keyword: str, expected: str) -> str:
    """Say what was expected of an attribute, and what there is in its place."""
    tag = Tag(keyword)
    return f"{element_name(tag)}: expected {expected}, found {found_element(data_set, tag)}"


def found_element(data_set: Dataset, tag: int) -> str:
    """VR and length of an element as it is in `data_set`."""
    if tag not in data_set:
        return "no such element"
    element = data_set.get_item(BaseTag(tag), keep_deferred=True)
    if isinstance(element, RawDataElement):
        return encoded_element(tag, element.VR, element.length)
    return _converted_element(element) if isinstance(element, DataElement) else "an element"


def encoded_element(tag: int, vr: str | None, length: int) -> str:
    """VR and length of an encoded element; without a VR in its header, by the data dictionary."""
    implied = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
    name = f"VR {vr or implied}" if (vr or "UN").encode() in KNOWN_VRS else "an unknown VR"
    if length == UNDEFINED_LENGTH:
        return f"{name} of undefined length"
    return f"{name} of {length} bytes" if length else f"{name} without a value"


def told_uid(uid: object) -> str:
    """A UID (PS3.5 9.1); of another text only how long it is.

    A number, a date or a time, also with dots, is no UID; what an anonymizer made of one is.
    """
    text = str(uid)
    is_told = text.startswith(_ROOTS) or text.count(".") >= _DOTS_OF_NO_DATE
    if is_safe_uid(text) and is_told:
        return text
    return f"(no UID, {len(text)} characters)" if text else "(no UID)"


def told_instance(data_set: Dataset) -> str:
    """`Instance` and its SOP Instance UID, where it has one that is a UID."""
    element = data_set.get_item("SOPInstanceUID") if "SOPInstanceUID" in data_set else None
    value = None if element is None else element.value
    if isinstance(value, bytes):
        value = value[: MAX_UID_LENGTH + 2].rstrip(b"\0 ").decode("ascii", "replace")
    told = told_uid(value or "")
    return f"Instance {told}" if told == str(value) else "An instance without a UID"


def told_photometric(text: object) -> str:
    """A PhotometricInterpretation that the standard defines; else only how long the text is."""
    return told_term(text, PHOTOMETRIC_INTERPRETATIONS) if text else "no PhotometricInterpretation"


def told_modality(text: object) -> str:
    """A Modality that the standard defines; else only how long the text is."""
    return told_term(text, MODALITIES) if text else "none"


def told_term(text: object, known: Collection[str]) -> str:
    """A code that is among the `known` ones; else only how long the text is."""
    term = str(text)
    return term if term in known else f"an undefined term of {len(term)} characters"


def _converted_element(element: DataElement) -> str:
    name, value = f"VR {element.VR}", element.value
    if isinstance(value, Sequence | MultiValue | list):
        what = "items" if isinstance(value, Sequence) else "values"
        return f"{name} with {len(value)} {what}"
    if value is None or value == "":
        return f"{name} without a value"
    if isinstance(value, bytes):
        return f"{name} of {len(value)} bytes"
    return f"{name} of {len(str(value))} characters"
