"""Phantoms to files: a series of images, and the structure set that this project writes on them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from core.identity import Provenance
from core.uids import derive_uid
from imaging.instances.header import Header, read_header
from imaging.rtstruct.writer import Roi, build_structure_set

ROI_NAME = "TARGET"
STRUCTURE_SET = "structure_set.dcm"
IMAGES = "images"
_ROOT = "1.2.3.4."


@dataclass(frozen=True, slots=True)
class Phantom:
    """A mask and the images that it lies on."""

    name: str
    mask: npt.NDArray[np.bool_]
    """[slice, row, column], slices in order of position along the normal."""
    spacing_mm: tuple[float, float]
    """Distance between rows, then between columns."""
    orientation: tuple[float, ...]
    """As ImageOrientationPatient has it."""
    positions_mm: npt.NDArray[np.float64]
    """Of each slice's first pixel, (slices, 3)."""


def write_phantom(phantom: Phantom, folder: Path) -> list[Header]:
    """Images of `phantom` in `folder`/images and the structure set of its mask beside them."""
    (folder / IMAGES).mkdir(parents=True)
    headers = []
    for number in range(len(phantom.mask)):
        path = folder / IMAGES / f"{number:03d}.dcm"
        _image(phantom, number).save_as(path, enforce_file_format=True)
        headers.append(read_header(path))
    created = datetime(2026, 3, 9, 14, 5, 6)
    provenance = Provenance(phantom.name, _ROOT, created, "cross-reader matrix")
    rois = [Roi(ROI_NAME, (255, 0, 0), "GTV")]
    data_set = build_structure_set(
        headers, {ROI_NAME: phantom.mask}, rois, provenance, label="MATRIX"
    )
    data_set.save_as(folder / STRUCTURE_SET, enforce_file_format=True)
    return headers


def _image(phantom: Phantom, number: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    data_set.SOPClassUID = CTImageStorage
    data_set.SOPInstanceUID = derive_uid(_ROOT, phantom.name, "image", str(number))
    data_set.SeriesInstanceUID = derive_uid(_ROOT, phantom.name, "series")
    data_set.StudyInstanceUID = derive_uid(_ROOT, phantom.name, "study")
    data_set.FrameOfReferenceUID = derive_uid(_ROOT, phantom.name, "frame of reference")
    data_set.PatientName, data_set.PatientID = "Phantom^Matrix", "MATRIX"
    data_set.PatientBirthDate = data_set.PatientSex = data_set.StudyID = ""
    data_set.StudyDate, data_set.StudyTime = "20260309", "140506"
    data_set.AccessionNumber = data_set.ReferringPhysicianName = data_set.PatientPosition = ""
    data_set.Modality, data_set.SeriesNumber, data_set.InstanceNumber = "CT", 1, number + 1
    data_set.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    data_set.PixelSpacing = list(phantom.spacing_mm)
    data_set.ImageOrientationPatient = list(phantom.orientation)
    data_set.ImagePositionPatient = phantom.positions_mm[number].tolist()
    data_set.SliceThickness = 2.5
    _add_pixels(data_set, phantom.mask[number].astype(np.int16) * 1000)
    return data_set


def _add_pixels(data_set: FileDataset, pixels: np.ndarray) -> None:
    data_set.Rows, data_set.Columns = pixels.shape
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit, data_set.PixelRepresentation = 15, 1
    data_set.RescaleSlope, data_set.RescaleIntercept, data_set.RescaleType = 1, 0, "HU"
    data_set.PixelData = pixels.astype("<i2").tobytes()
