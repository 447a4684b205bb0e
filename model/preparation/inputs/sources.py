"""Opening of any kind of sample source by its path."""

from pathlib import Path

import h5py

from core.errors import ConfigurationError, LearningDataError
from model.data.array_folder import (
    SPACING_MM,
    assumed_spacing,
    is_array_folder,
    open_array_folder,
)
from model.data.data_set_file import open_data_set
from model.data.samples import SampleSource
from model.preparation.inputs.sunnybrook import read_sunnybrook

Spacing = tuple[float, float]


def assumption(path: Path, pixel_spacing_mm: Spacing | None) -> str:
    """Note on what `open_source` assumes about the data at `path`, or "" for nothing."""
    return assumed_spacing(path) if pixel_spacing_mm is None and _is_arrays(path) else ""


def open_source(path: Path, pixel_spacing_mm: Spacing | None = None) -> SampleSource:
    """Open an HDF5 data set, a folder with link.csv, or a folder of arrays.

    `pixel_spacing_mm` (between rows, between columns) is for arrays, which do not state it; without
    it, 1 mm is assumed.

    Raises:
        LearningDataError: `path` is none of these, or damaged.
        ConfigurationError: link.csv cannot be read, or the data has a pixel spacing of its own.
    """
    if pixel_spacing_mm is not None and not _is_arrays(path):
        raise ConfigurationError(
            f"--pixel_spacing: {path} is no folder of arrays and has a pixel spacing"
        )
    if path.is_file():
        if not h5py.is_hdf5(path):
            raise LearningDataError(f"{path}: not HDF5, expected a data set of model.prepare")
        return open_data_set(path)
    if (path / "link.csv").is_file():
        return read_sunnybrook(path)
    if is_array_folder(path):
        return open_array_folder(path, pixel_spacing_mm or SPACING_MM)
    raise LearningDataError(
        f"{path}: expected an HDF5 data set of model.prepare, a folder with dicoms/, contourfiles/ "
        "and link.csv, or a folder of <patient>/img/<n>.npy and <patient>/mask/<n>.npy"
    )


def _is_arrays(path: Path) -> bool:
    return not (path / "link.csv").is_file() and is_array_folder(path)
