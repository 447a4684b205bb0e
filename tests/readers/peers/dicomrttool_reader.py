"""Reads every case with DicomRTTool: see `_each_case.py`."""

from _each_case import for_each_case
from DicomRTTool.ReaderWriter import DicomReaderWriter


def read(images, structure_set, roi_name):
    reader = DicomReaderWriter(Contour_Names=[roi_name], verbose=False)
    reader.walk_through_folders(str(structure_set.parent), thread_count=1)
    (index,) = reader.indexes_with_contours
    reader.set_index(index)
    reader.get_images_and_mask()
    return reader.mask


if __name__ == "__main__":
    for_each_case(read)
