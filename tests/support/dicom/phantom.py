"""An oblique series of headers, not square and not isotropic."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from core.identity import Provenance
from imaging.instances.header import Header, read_header

Mask = npt.NDArray[np.bool_]
SHAPE = (17, 29)
SPACING_MM = (1.3, 0.7)
ALONG_ROW = np.array([0.8, 0.6, 0.0])
DOWN_COLUMN = np.array([-0.36, 0.48, 0.8])


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return Provenance("job 1", "1.2.3.4.", datetime(2026, 3, 9, 14, 5, 6), "UNet of left ventricle")


@pytest.fixture
def write_phantom(tmp_path: Path) -> Callable[..., list[Header]]:
    """Writes an oblique, non-square, anisotropic series of headers; uneven gaps between slices."""

    def write(
        offsets_mm: tuple[float, ...] = (0.0, 2.5, 5.0, 9.0), **values: object
    ) -> list[Header]:
        headers = []
        for number, offset_mm in enumerate(offsets_mm, 1):
            data_set = phantom_instance(number, offset_mm)
            for keyword, value in values.items():
                setattr(data_set, keyword, value)
            path = tmp_path / f"{number}.dcm"
            data_set.save_as(path, enforce_file_format=True)
            headers.append(read_header(path))
        return headers

    return write


def phantom_instance(number: int, offset_mm: float) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    data_set.SOPClassUID = CTImageStorage
    data_set.SOPInstanceUID = f"1.2.3.9.{number}"
    data_set.SeriesInstanceUID = "1.2.3.8"
    data_set.StudyInstanceUID = "1.2.3.7"
    data_set.FrameOfReferenceUID = "1.2.3.6"
    data_set.PatientName, data_set.PatientID = "Phantom^Oblique", "P1"
    data_set.Rows, data_set.Columns = SHAPE
    data_set.PixelSpacing = list(SPACING_MM)
    data_set.ImageOrientationPatient = [*ALONG_ROW, *DOWN_COLUMN]
    position_mm = np.array([-12.5, 31.25, 7.0]) + offset_mm * np.cross(ALONG_ROW, DOWN_COLUMN)
    data_set.ImagePositionPatient = [round(float(value), 6) for value in position_mm]
    return data_set
