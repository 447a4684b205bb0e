"""Reads every case with platipy: see `_each_case.py`."""

import SimpleITK
from _each_case import for_each_case
from platipy.dicom.io.rtstruct_to_nifti import (
    read_dicom_image,
    read_dicom_struct_file,
    transform_point_set_from_dicom_struct,
)


def read(images, structure_set, roi_name):
    image = read_dicom_image(images)
    found, names = transform_point_set_from_dicom_struct(
        image, read_dicom_struct_file(structure_set)
    )
    return SimpleITK.GetArrayFromImage(found[names.index(roi_name)])


if __name__ == "__main__":
    for_each_case(read)
