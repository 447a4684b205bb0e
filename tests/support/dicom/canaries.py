"""Instances of which one element holds a canary, in every wrong form: no text may sing of it."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from network.file_meta import encode_file_meta
from tests.support.dicom.synthetic import make_series

CANARY = "QUETZAL^KANARI"
CANARIES = ("QUETZAL", "KANARI", "27182818284", "quetzal")
"""What is looked for: a name, and a number that is nobody's length, time or UID."""
_NAME, _NUMBER = CANARY.encode(), b"27182818284"
_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")
UID = "1.2.826.99.77"
_SOP_INSTANCE, _SERIES = 0x00080018, 0x0020000E
SOP_CLASS = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True, slots=True)
class Damaged:
    """An encoded data set of which one element is wrong."""

    name: str
    """Element and form, for the words of a failing test."""
    data_set: bytes
    transfer_syntax_uid: str
    sop_instance_uid: str

    def file(self) -> bytes:
        """The same as a DICOM file."""
        return (
            encode_file_meta(SOP_CLASS, self.sop_instance_uid, self.transfer_syntax_uid)
            + self.data_set
        )


def instance(number: int = 1) -> FileDataset:
    """A CT slice with an element of nearly every VR, and sequences."""
    data_set = make_series(np.zeros((1, 4, 5), np.uint16), bits_stored=16)[0]
    data_set.SeriesInstanceUID, data_set.StudyInstanceUID = f"{UID}.2", f"{UID}.3"
    data_set.SOPInstanceUID = f"{UID}.1.{number}"
    data_set.SpecificCharacterSet, data_set.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY"]
    data_set.StudyDate, data_set.StudyTime = "20200102", "030405"
    data_set.AcquisitionDateTime, data_set.AccessionNumber = "20200102030405", "1"
    data_set.Manufacturer, data_set.PatientBirthDate = "Somebody", "19000101"
    data_set.PatientAge, data_set.PatientSex = "040Y", "O"
    data_set.SeriesDescription, data_set.ImageComments = "a series", "a comment"
    data_set.AcquisitionNumber, data_set.KVP, data_set.EchoTime = 1, 120, 2
    data_set.NumberOfFrames, data_set.WindowCenter, data_set.WindowWidth = 1, 40, 400
    data_set.RescaleType, data_set.LossyImageCompression = "HU", "00"
    data_set.PixelPaddingValue, data_set.ConversionType = 0, "DI"
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = SOP_CLASS, f"{UID}.4"
    item.PatientID, item.ReferencedFrameNumber = "inside", 1
    data_set.ReferencedImageSequence = [item]
    equipment = Dataset()
    equipment.Manufacturer = "Somebody"
    data_set.ContributingEquipmentSequence = [equipment]
    plane, groups = Dataset(), Dataset()
    plane.ImagePositionPatient = [0, 0, 0]
    groups.PlanePositionSequence = [plane]
    data_set.SharedFunctionalGroupsSequence = [groups]
    del data_set.file_meta
    return data_set


def damaged(every: int = 1, *, only: str = "") -> Iterator[Damaged]:
    """Every `every`-th pair of an element and a wrong form of it, if `only` is in its name.

    Each is a series of its own.
    """
    pairs = [(int(element.tag), form) for element in instance() for form in FORMS]
    whole = {implicit: encoded_elements(implicit=implicit) for implicit in (False, True)}
    for number, (tag, form) in enumerate(pairs[::every], 1):
        for implicit in (False, True) if form in ("name", "number", "long") else (False,):
            name = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {form}{' implicit' * implicit}"
            if only not in name:
                continue
            uid = f"{UID}.1.{2 * number + implicit}"
            elements = whole[implicit] | {
                _SOP_INSTANCE: _uid(_SOP_INSTANCE, uid, implicit=implicit),
                _SERIES: _uid(_SERIES, f"{uid}.2", implicit=implicit),
            }
            elements[tag] = FORMS[form](tag, elements[tag], implicit)
            syntax = str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
            yield Damaged(name, b"".join(elements.values()), syntax, uid)


def encoded_elements(*, implicit: bool, sop_instance_uid: str = UID) -> dict[int, bytes]:
    """Each element of an instance as it is encoded, by tag."""
    found = {int(one.tag): _bytes(one, implicit=implicit) for one in instance()}
    return found | {_SOP_INSTANCE: _uid(_SOP_INSTANCE, sop_instance_uid, implicit=implicit)}


def _uid(tag: int, uid: str, *, implicit: bool) -> bytes:
    return _bytes(DataElement(tag, "UI", uid), implicit=implicit)


def _bytes(element: DataElement, *, implicit: bool) -> bytes:
    file, data_set = DicomBytesIO(), Dataset()
    file.is_little_endian, file.is_implicit_VR = True, implicit
    data_set.add(element)
    write_dataset(file, data_set, "latin-1")
    return file.getvalue()


def _encoded(
    tag: int, before: bytes, implicit: bool, *, value: bytes, vr: bytes = b"", claims: int = -1
) -> bytes:
    """An element with any value, by default of the VR that it had."""
    vr, length = vr or before[4:6], len(value) if claims < 0 else claims
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<L", length) + value
    if vr in _LONG:
        return head + vr + b"\0\0" + struct.pack("<L", length) + value
    return head + vr + struct.pack("<H", length & 0xFFFF) + value


def _in_a_sequence(tag: int, before: bytes, implicit: bool) -> bytes:
    """The element is a sequence of explicit items that hold the canary as an IS and a UI."""
    inner = b"\x20\x00\x13\x00IS" + struct.pack("<H", len(_NAME)) + _NAME
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inner)) + inner
    return _encoded(tag, before, implicit, value=item, vr=b"SQ")


FORMS: dict[str, Callable[[int, bytes, bool], bytes]] = {
    "name": partial(_encoded, value=_NAME),
    "number": partial(_encoded, value=_NUMBER + b" "),
    "UID with letters": partial(_encoded, value=b"1.2.QUETZAL3"),
    "several": partial(_encoded, value=_NAME + b"\\" + _NAME + b" "),
    "long": partial(_encoded, value=_NAME * 200),
    "charset": partial(_encoded, value=_NAME + b"\xff\xfe\x9c\x1b"),
    "as LO": partial(_encoded, value=_NAME, vr=b"LO"),
    "as US": partial(_encoded, value=_NAME, vr=b"US"),
    "as IS": partial(_encoded, value=_NAME, vr=b"IS"),
    "as UI": partial(_encoded, value=_NAME, vr=b"UI"),
    "as SQ": partial(_encoded, value=_NAME, vr=b"SQ"),
    "VR is the canary": partial(_encoded, value=_NAME, vr=b"QU"),
    "claims more": partial(_encoded, value=_NAME, claims=30_000),
    "claims less": partial(_encoded, value=_NAME, claims=3),
    "in a sequence": _in_a_sequence,
}
"""Encoded elements that are wrong, by what is wrong with them."""


def found_in(text: str) -> list[str]:
    """The canaries in a text."""
    return [canary for canary in CANARIES if canary in text]
