"""Small series made in memory, with pixel cells of any bits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from imaging.pixels.pixel_format import cells_of, format_of

SERIES, STUDY, FRAME = "1.2.826.99.1", "1.2.826.99.2", "1.2.826.99.3"


def make_series(cells: npt.NDArray[Any], *, bits_stored: int, **changes: Any) -> list[FileDataset]:
    """A CT with `cells` [slice, row, column] as PixelData; `changes` go into each instance."""
    return [_make_slice(one, number, bits_stored, changes) for number, one in enumerate(cells)]


def _make_slice(
    cells: npt.NDArray[Any], number: int, bits_stored: int, changes: dict[str, Any]
) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data_set.SOPClassUID = meta.MediaStorageSOPClassUID = CTImageStorage
    data_set.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = UID(f"{SERIES}.{number + 1}")
    data_set.SeriesInstanceUID, data_set.StudyInstanceUID = SERIES, STUDY
    data_set.FrameOfReferenceUID, data_set.Modality = FRAME, "CT"
    data_set.PatientName, data_set.PatientID = "Nobody^At All", "0815"
    data_set.SeriesNumber, data_set.InstanceNumber = 4, number + 1
    data_set.ImagePositionPatient = [-10.5, 20.25, 3.0 * number]
    data_set.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data_set.PixelSpacing, data_set.SliceThickness = [0.7, 0.9], 3
    data_set.RescaleSlope, data_set.RescaleIntercept = 1, -1024
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns = cells.shape
    data_set.BitsAllocated, data_set.BitsStored = 8 * cells.itemsize, bits_stored
    data_set.HighBit = bits_stored - 1
    data_set.PixelRepresentation = int(cells.dtype.kind == "i")
    content = cells.tobytes()
    representation = "OB" if cells.itemsize == 1 else "OW"
    data_set.add_new("PixelData", representation, content + b"\0" * (len(content) % 2))
    for keyword, value in changes.items():
        setattr(data_set, keyword, value)
    return data_set


def ramp(dtype: npt.DTypeLike, bits_stored: int) -> npt.NDArray[Any]:
    """Cells [3, 40, 36] over all values of so many bits, the lowest and the highest among them."""
    signed = np.dtype(dtype).kind == "i"
    lowest = -(1 << (bits_stored - 1)) if signed else 0
    values = np.linspace(lowest, lowest + (1 << bits_stored) - 1, 3 * 40 * 36)
    return np.rint(values).astype(dtype).reshape(3, 40, 36)


def cells_by_source(restored: Sequence[FileDataset]) -> dict[str, npt.NDArray[Any]]:
    """SOP Instance UID of each source to the pixel cells that came back for it."""
    return {
        str(one.SourceImageSequence[0].ReferencedSOPInstanceUID): cells_of(one, format_of(one))
        for one in restored
    }
