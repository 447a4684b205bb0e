"""Anything that samples can be learnt from, by its path."""

from pathlib import Path

import h5py

from core.errors import LearningDataError
from model.array_folder import is_array_folder, open_array_folder
from model.data_set_file import open_data_set
from model.samples import SampleSource
from model.sunnybrook import read_sunnybrook


def open_source(path: Path) -> SampleSource:
    """The samples of an HDF5 data set, of a folder with link.csv, or of a folder of arrays.

    Raises:
        LearningDataError: none of these, or damaged.
        ConfigurationError: a link.csv that cannot be read.
    """
    if path.is_file():
        if not h5py.is_hdf5(path):
            raise LearningDataError(f"{path}: not HDF5, expected a data set of model.prepare")
        return open_data_set(path)
    if (path / "link.csv").is_file():
        return read_sunnybrook(path)
    if is_array_folder(path):
        return open_array_folder(path)
    raise LearningDataError(
        f"{path}: expected an HDF5 data set of model.prepare, a folder with dicoms/, contourfiles/ "
        "and link.csv, or a folder of <patient>/img/<n>.npy and <patient>/mask/<n>.npy"
    )
