"""Other programs' sides of `bench.volume`; runs in a virtual environment without Slicewire."""

import importlib
from typing import Any

import numpy as np

from bench.isolated import Prepared


def simple_itk(folder: str) -> Prepared:
    """Read with SimpleITK's ImageSeriesReader, with file names sorted by GDCM."""
    itk = importlib.import_module("SimpleITK")

    def work() -> Any:
        reader = itk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
        return reader.Execute()

    return work, lambda image: _described(itk.GetArrayViewFromImage(image))


def dicom_to_nifti(folder: str) -> Prepared:
    """Convert the folder with dicom2nifti to a NIfTI image in memory."""
    common = importlib.import_module("dicom2nifti.common")
    convert = importlib.import_module("dicom2nifti.convert_dicom")

    def work() -> Any:
        instances = common.read_dicom_directory(folder)
        return convert.dicom_array_to_nifti(instances, None, reorient_nifti=False)["NII"]

    return work, lambda image: _described(np.asanyarray(image.dataobj))


def _described(voxels: Any) -> dict[str, Any]:
    return {"sum": float(voxels.sum(dtype=np.float64)), "type": str(voxels.dtype)}
