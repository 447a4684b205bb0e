"""Conversion of an instance to another transfer syntax, keeping all pixel values and elements."""

from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.utils import decompress
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from core.errors import NotADataSetError, PixelError
from imaging.instances.encoded_texts import encode_texts
from imaging.instances.read_errors import BROKEN
from imaging.instances.reading_faults import explain_file
from imaging.pixels.extended_jpeg import decode_extended_jpeg, is_extended_jpeg
from imaging.pixels.pixel_faults import explain_pixels

UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
"""Syntaxes that can be written, preferred first: explicit VR keeps private elements' types."""

_SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
_WORD_BYTES = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def write_uncompressed(source: Path, destination: Path, transfer_syntax_uid: str) -> None:
    """Write the instance in `source` to `destination` in one of the `UNCOMPRESSED` syntaxes.

    Pixel values stay as decoded: colours are not converted (PhotometricInterpretation is set to
    the decoder's output), and LossyImageCompression is kept. It is still the same instance, so
    the SOP Instance UID is kept (PS3.4 section B.4.1.3).

    Raises:
        PixelError: compressed pixels that cannot be decoded.
        NotADataSetError: `source` cannot be read.
        OSError: `destination` cannot be written.
    """
    try:
        data_set = pydicom.dcmread(source)
    except BROKEN as error:
        words = explain_file(source, error)
        raise NotADataSetError(f"{source.name}: not a readable DICOM file: {words}") from error
    was = UID(data_set.file_meta.TransferSyntaxUID)
    if was.is_encapsulated:
        _decompress(data_set)
    elif was == ExplicitVRBigEndian:
        swap_byte_order(data_set)
    target = UID(transfer_syntax_uid)
    encode_texts(data_set, implicit_vr=target.is_implicit_VR)
    data_set.file_meta.TransferSyntaxUID = target
    pydicom.dcmwrite(
        destination,
        data_set,
        implicit_vr=target.is_implicit_VR,
        little_endian=True,
        force_encoding=True,
    )


def _decompress(data_set: FileDataset) -> None:
    try:
        if is_extended_jpeg(data_set):
            data_set.add_new("PixelData", "OW", decode_extended_jpeg(data_set).tobytes())
            return
        decompress(data_set, as_rgb=False, generate_instance_uid=False)
    except (RuntimeError, ValueError, AttributeError, EOFError) as error:
        raise PixelError(explain_pixels(data_set)) from error
    if data_set.PhotometricInterpretation in _SUBSAMPLED:
        data_set.PhotometricInterpretation = "YBR_FULL"  # decoders upsample the chroma


def swap_byte_order(data_set: Dataset) -> None:
    """Swap the byte order of all OW, OL, OF, OD and OV values, in place; pydicom does not."""
    for tag in list(data_set.keys()):
        element = data_set.get_item(tag)
        if element is not None and element.VR == "SQ":
            for item in data_set[tag].value or ():
                swap_byte_order(item)
        elif element is not None and element.VR in _WORD_BYTES:  # texts are not decoded
            _swap_words(data_set[tag])


def _swap_words(element: DataElement) -> None:
    size = _WORD_BYTES.get(element.VR)
    value = element.value
    if size is None or not isinstance(value, bytes):
        return
    columns = [value[offset::size] for offset in range(size)]
    swapped = bytearray(len(value))
    for offset, column in enumerate(reversed(columns)):
        swapped[offset::size] = column
    element.value = bytes(swapped)
