"""Decoding of JPEG Extended (Process 2 and 4) with more than 8 bits, by GDCM.

pydicom decodes these with pylibjpeg-libjpeg only, whose licence is not compatible with this
project's. GDCM's 12-bit decoder gives the same values as DCMTK's.
"""

import gdcm
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGExtended12Bit

_STORED_BYTES = 2


def is_extended_jpeg(data_set: FileDataset) -> bool:
    """True if `data_set` has grey JPEG Extended pixels of 9 to 12 bits."""
    syntax = data_set.file_meta.get("TransferSyntaxUID")
    is_grey = int(data_set.get("SamplesPerPixel") or 1) == 1
    return bool(syntax == JPEGExtended12Bit and is_grey and int(data_set.get("BitsStored", 0)) > 8)


def decode_extended_jpeg(data_set: FileDataset) -> npt.NDArray[np.uint16]:
    """Decode stored values, uint16 [frame, row, column] (PS3.5 8.2.1 allows unsigned ones only).

    Raises:
        ValueError: the pixels are signed, or a frame is missing or cannot be decoded.
    """
    if data_set.PixelRepresentation != 0:
        raise ValueError("signed pixels, expected unsigned ones, PS3.5 table 8.2.1-1")
    count = int(data_set.get("NumberOfFrames") or 1)
    frames = list(generate_frames(data_set.PixelData, number_of_frames=count))
    if len(frames) != count:
        raise ValueError(f"{len(frames)} frames, expected {count}")
    return np.stack([_decode(frame, data_set) for frame in frames])


def _decode(frame: bytes, data_set: Dataset) -> npt.NDArray[np.uint16]:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((data_set.Columns, data_set.Rows, 1))
    image.SetDataElement(element)
    interpretation = gdcm.PhotometricInterpretation.GetPIType(data_set.PhotometricInterpretation)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(interpretation))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    bits = int(data_set.BitsStored)
    image.SetPixelFormat(gdcm.PixelFormat(1, 8 * _STORED_BYTES, bits, bits - 1, 0))
    content = (image.GetBuffer() or "").encode(
        "utf-8", "surrogateescape"
    )  # GDCM gives char* as str
    expected = data_set.Rows * data_set.Columns * _STORED_BYTES
    if len(content) != expected:
        raise ValueError(f"{len(content)} bytes decoded, expected {expected}")
    return np.frombuffer(content, dtype="<u2").reshape(data_set.Rows, data_set.Columns)
