"""Another transfer syntax for an instance, with every pixel value and element kept."""

from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.utils import decompress
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from core.errors import NotADataSetError, PixelError
from imaging.pixels.extended_jpeg import decode_extended, is_extended

UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
"""What `write_uncompressed` can write, best first: explicit VR keeps private elements' types."""

_SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
_WORD_BYTES = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def write_uncompressed(source: Path, destination: Path, transfer_syntax_uid: str) -> None:
    """Write the instance in `source` to `destination` in one of the `UNCOMPRESSED` syntaxes.

    Pixel values stay as decoded: colours are not converted (PhotometricInterpretation then says
    what a decoder gave), and an image that was compressed with loss goes on saying so. That makes
    it the same instance, so it keeps its SOP Instance UID (PS3.4 section B.4.1.3).

    Raises:
        PixelError: compressed pixels that cannot be decoded.
        NotADataSetError: `source` cannot be read.
        OSError: `destination` cannot be written.
    """
    try:
        data_set = pydicom.dcmread(source)
    except (InvalidDicomError, EOFError, ValueError) as error:
        raise NotADataSetError(f"{source.name}: not a readable DICOM file ({error})") from error
    was = UID(data_set.file_meta.TransferSyntaxUID)
    if was.is_encapsulated:
        _decompress(data_set)
    elif was == ExplicitVRBigEndian:
        turn_words(data_set)
    target = UID(transfer_syntax_uid)
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
        if is_extended(data_set):
            data_set.add_new("PixelData", "OW", decode_extended(data_set).tobytes())
            return
        decompress(data_set, as_rgb=False, generate_instance_uid=False)
    except (RuntimeError, ValueError, AttributeError, EOFError) as error:
        name = UID(data_set.file_meta.TransferSyntaxUID).name
        raise PixelError(
            f"Instance {data_set.SOPInstanceUID}: its {name} pixels cannot be decoded ({error})"
        ) from error
    if data_set.PhotometricInterpretation in _SUBSAMPLED:
        data_set.PhotometricInterpretation = "YBR_FULL"  # decoders give every pixel its colour


def turn_words(data_set: Dataset) -> None:
    """Turn the words of all binary values (OW and its like), which pydicom leaves to its caller."""
    data_set.walk(_swap_words)


def _swap_words(_: Dataset, element: DataElement) -> None:
    size = _WORD_BYTES.get(element.VR)
    value = element.value
    if size is None or not isinstance(value, bytes):
        return
    columns = [value[offset::size] for offset in range(size)]
    swapped = bytearray(len(value))
    for offset, column in enumerate(reversed(columns)):
        swapped[offset::size] = column
    element.value = bytes(swapped)
