"""Transfer syntaxes that need work, and data sets as pydicom writes them."""

from typing import Any

import pydicom
from pydicom.dataset import Dataset

BIG_ENDIAN, DEFLATED, JPEG_2000 = (
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.90",
)


def pydicom_bytes(data_set: Dataset, *, implicit: bool, little: bool) -> bytes:
    """A data set as a peer would send it."""
    buffer: Any = pydicom.filebase.DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, little
    pydicom.filewriter.write_dataset(buffer, data_set)
    return bytes(buffer.getvalue())
