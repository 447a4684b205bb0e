"""Attributes common to all instances that are derived from another instance."""

from typing import Any

import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian

from imaging.derived.descriptions import LONGEST_LO
from imaging.derived.encoding import Encoding
from imaging.pixels.reader import Voxels

LONGEST_ST = 1024
SERIES_NUMBER_STEP = 1000
_WARNING = "NOT FOR DOSE"
LONGEST_WITH_WARNING = LONGEST_LO - len(_WARNING) - 1
"""Most characters of a SeriesDescription besides its warning."""
_OVERLAY_GROUPS = range(0x6000, 0x6100)
_CURVE_GROUPS = range(0x5000, 0x5100)
_PIXEL_GROUP = 0x7FE0
# Valid only for the source's bytes, not for a copy.
_BYTES_ONLY = ("PixelDataProviderURL", "MACParametersSequence", "DigitalSignaturesSequence")
# Valid only for the source's pixels.
_PIXELS_ONLY = (
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "SmallestImagePixelValueInPlane",
    "LargestImagePixelValueInPlane",
    "IconImageSequence",
)
_STORED_VALUES_ONLY = ("RealWorldValueMappingSequence", "VOILUTSequence")


def drop_byte_dependent(data_set: Dataset) -> None:
    """Remove pixels, group lengths, and attributes that are valid only for the source's bytes."""
    for tag in list(data_set.keys()):
        if tag.group == _PIXEL_GROUP or tag.element == 0:
            del data_set[tag]
    drop(data_set, _BYTES_ONLY)


def drop_pixel_dependent(data_set: Dataset, *, same_encoding: bool) -> None:
    """Also remove what new pixels invalidate: overlays, private elements, padding.

    Without `same_encoding`, mappings of stored values are removed, too.
    """
    drop_byte_dependent(data_set)
    for tag in list(data_set.keys()):
        if tag.is_private or tag.group in _OVERLAY_GROUPS or tag.group in _CURVE_GROUPS:
            del data_set[tag]
    drop(data_set, _PIXELS_ONLY if same_encoding else _PIXELS_ONLY + _STORED_VALUES_ONLY)


def drop(data_set: Dataset, keywords: tuple[str, ...]) -> None:
    """Remove those of `keywords` that are present."""
    for keyword in keywords:
        if keyword in data_set:
            delattr(data_set, keyword)


def write_encoded_pixels(data_set: Dataset, values: Voxels, encoding: Encoding) -> None:
    """Write `values` [row, column] as 16-bit integers in `encoding`."""
    stored = encoding.stored(values)
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit = 15
    data_set.PixelRepresentation = int(encoding.signed)
    write_extremes(data_set, stored)
    if not encoding.from_source:
        if "RescaleSlope" not in data_set:
            data_set.RescaleType = "US"  # unspecified; a CT without the type means HU
        data_set.RescaleSlope, data_set.RescaleIntercept = encoding.slope, encoding.intercept
    data_set.add_new("PixelData", "OW", stored.tobytes())


def write_extremes(data_set: Dataset, stored: npt.NDArray[Any]) -> None:
    """Write smallest and largest pixel value of the `stored` integers (at most 16 bits)."""
    value_representation = "SS" if stored.dtype.kind == "i" else "US"
    data_set.add_new("SmallestImagePixelValue", value_representation, int(stored.min()))
    data_set.add_new("LargestImagePixelValue", value_representation, int(stored.max()))


def write_source(data_set: Dataset, sop_class_uid: str, sop_instance_uid: str) -> None:
    """Write SourceImageSequence with the image that `data_set` was derived from."""
    source = Dataset()
    source.ReferencedSOPClassUID = sop_class_uid
    source.ReferencedSOPInstanceUID = sop_instance_uid
    source.PurposeOfReferenceCodeSequence = [
        code_item(codes.cid7202.SourceImageForImageProcessingOperation)
    ]
    data_set.SourceImageSequence = [source]


def write_identity(data_set: FileDataset, sop_instance_uid: str) -> None:
    """Write SOPInstanceUID and matching file meta information."""
    data_set.SOPInstanceUID = sop_instance_uid
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    data_set.file_meta = meta


def description_with_warning(description: str) -> str:
    """SeriesDescription (LO, at most 64 characters) that ends with the warning NOT FOR DOSE."""
    return with_warning(description.encode("ascii", "replace").decode())


def with_warning(description: str) -> str:
    """As `description_with_warning`, with all letters: the character set has to have them."""
    plain = description.replace("\\", "/")
    return f"{plain[:LONGEST_WITH_WARNING].strip()} {_WARNING}".strip()


def code_item(code: Code) -> Dataset:
    """Item of a code sequence for `code`."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
