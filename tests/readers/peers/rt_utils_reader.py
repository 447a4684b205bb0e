"""`rt_utils_reader.py SERIES STRUCTURE_SET ROI`, all cases: see `_each_case.py`."""

import numpy as np
from _each_case import for_each_case
from rt_utils import RTStructBuilder


def read(images, structure_set, roi_name):
    """The mask [slice, row, column]; rt-utils returns [row, column, slice]."""
    reader = RTStructBuilder.create_from(str(images), str(structure_set))
    return np.moveaxis(reader.get_roi_mask_by_name(roi_name), -1, 0)


if __name__ == "__main__":
    for_each_case(read)
