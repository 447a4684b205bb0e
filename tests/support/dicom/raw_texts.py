"""A small CT whose texts are given bytes in any character set, right or wrong."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from tests.support.dicom.phantom import SHAPE, phantom_instance

TEXTS = {
    "PatientName": b"M\xfcller^J\xf6rg=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B ",
    "PatientID": b" P\xc3\x84-1 ",
    "IssuerOfPatientID": b"\xff\xfe\x80\x1bZZ",
    "StudyDescription": "Łopatka 山田 ".encode(),
    "AccessionNumber": b"A\xe9 1",
    "ReferringPhysicianName": b"\x1b$)C\xb1\xe8^\x1b-A\xc4\xd6^\x1b)I\xd4\xcf ",
    "DeidentificationMethod": b"none \\ \xe4",
    "CodeMeaning": b"gew\xe4hlt ",
}
"""Attributes of patient and study in bytes of several character sets; CodeMeaning is in an item."""
_CODE = {"CodeValue": b"1 ", "CodingSchemeDesignator": b"99X ", "CodeMeaning": b"chosen"}
_SEQUENCE = "DeidentificationMethodCodeSequence"


def write_series(
    folder: Path, character_set: bytes | None, syntax: UID, texts: dict[str, bytes] = TEXTS
) -> list[Path]:
    """Three slices with `texts`, and SpecificCharacterSet as given (None: absent)."""
    terms = {} if character_set is None else {"SpecificCharacterSet": character_set}
    paths = []
    for number in (1, 2, 3):
        data_set = phantom_instance(number, 2.5 * number)
        data_set.update(_image(number, syntax))
        item = Dataset()
        _fill(item, _CODE | {key: text for key, text in texts.items() if key in _CODE}, syntax)
        data_set.add_new(_SEQUENCE, "SQ", [item])
        outside = {key: text for key, text in texts.items() if key not in _CODE}
        _fill(data_set, terms | outside, syntax)
        data_set.file_meta.TransferSyntaxUID = syntax
        paths.append(folder / f"{number}.dcm")
        data_set.save_as(paths[-1], enforce_file_format=True)
    return paths


def texts_of(path: Path) -> dict[str, bytes]:
    """Bytes of the attributes `TEXTS` as they stand in a file."""
    data_set = pydicom.dcmread(path, stop_before_pixels=True)
    [item] = data_set[_SEQUENCE].value
    return {key: _bytes(item if key in _CODE else data_set, key) for key in TEXTS}


def _image(number: int, syntax: UID) -> Dataset:
    image = Dataset()
    pixels = np.arange(np.prod(SHAPE), dtype="<i2" if syntax.is_little_endian else ">i2")
    image.add_new("PixelData", "OW", (pixels + pixels.dtype.type(number)).tobytes())
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 1, 1
    image.PhotometricInterpretation, image.Modality = "MONOCHROME2", "CT"
    image.RescaleSlope, image.RescaleIntercept, image.SliceThickness = "1", "0", "2.5"
    return image


def _fill(data_set: Dataset, values: dict[str, bytes], syntax: UID) -> None:
    for keyword, value in values.items():
        tag = Tag(tag_for_keyword(keyword) or 0)
        padded = value + b" " * (len(value) % 2)
        vr = None if syntax.is_implicit_VR else dictionary_VR(tag)
        data_set[tag] = RawDataElement(
            tag, vr, len(padded), padded, 0, syntax.is_implicit_VR, syntax.is_little_endian
        )
    terms = data_set.get("SpecificCharacterSet")
    encodings = pydicom.charset.convert_encodings(terms) if terms else "iso8859"
    data_set.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian, encodings)


def _bytes(data_set: Dataset, keyword: str) -> bytes:
    element = data_set.get_item(keyword)
    assert isinstance(element, RawDataElement), keyword
    return element.value or b""
