"""Fast conversion of plainly written element values; all other values are left to pydicom."""

import re

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.uid import UID

_UID = re.compile(rb"[0-9.]{1,64}")
_WORDS = re.compile(rb"[A-Z0-9_]{1,16}")
_WHOLE = re.compile(rb"-?[0-9]{1,9}")
_DECIMAL = re.compile(rb"-?[0-9]{1,8}(\.[0-9]{0,7})?")


def with_plain_value(element: RawDataElement) -> RawDataElement | DataElement:
    """Convert the value of `element` as pydicom would; unchanged if it is not plainly written.

    IS and DS become `int` and `float`, which compare equal to pydicom's own types.
    """
    vr = element.VR
    if vr is None and dictionary_has_tag(element.tag):
        vr = dictionary_VR(element.tag)
    value = None if vr is None or not element.value else _plain(vr, element.value)
    if vr is None or value is None:
        return element
    return DataElement(element.tag, vr, value, already_converted=True)


def _plain(vr: str, value: bytes) -> object:
    if vr == "US":
        return int.from_bytes(value, "little") if len(value) == 2 else None
    if vr == "UI":
        text = value.removesuffix(b"\0")
        return UID(text.decode("ascii")) if _UID.fullmatch(text) else None
    text = value.removesuffix(b" ")
    if vr == "CS":
        return text.decode("ascii") if _WORDS.fullmatch(text) else None
    if vr == "IS":
        return int(text) if _WHOLE.fullmatch(text) else None
    if vr == "DS":
        return _decimals(text.split(b"\\"))
    return None


def _decimals(texts: list[bytes]) -> list[float] | float | None:
    if not all(_DECIMAL.fullmatch(text) for text in texts):
        return None
    numbers = [float(text) for text in texts]
    return numbers if len(numbers) > 1 else numbers[0]
