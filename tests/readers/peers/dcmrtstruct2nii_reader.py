"""Reads every case with dcmrtstruct2nii: see `_each_case.py`."""

import tempfile
from pathlib import Path

import SimpleITK
from _each_case import for_each_case
from dcmrtstruct2nii import dcmrtstruct2nii


def read(images, structure_set, roi_name):
    with tempfile.TemporaryDirectory() as folder:
        dcmrtstruct2nii(str(structure_set), str(images), folder, convert_original_dicom=False)
        path = Path(folder) / f"mask_{roi_name}.nii.gz"
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


if __name__ == "__main__":
    for_each_case(read)
