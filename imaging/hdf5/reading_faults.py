"""What keeps an HDF5 file from being read as a volume, in our own words (docs/hdf5.md)."""

from pathlib import Path
from typing import BinaryIO

import h5py

from imaging.instances.read_errors import BROKEN_HDF5

_PLACES = (
    ("positions_mm", ""),
    ("orientations", "orientation"),
    ("pixel_spacings_mm", "pixel_spacing_mm"),
)
_GROUP = "stored"
_MOST_CELLS = 10_000_000
_STORED = (
    *("values", "bits_allocated", "bits_stored", "pixel_representations"),
    *("photometric_interpretations", "rescale_slopes", "rescale_intercepts"),
)


def explain_hdf5(source: Path | BinaryIO) -> str:
    """Explain why a file is no volume; names the table or attribute that is at fault."""
    try:
        with h5py.File(source, "r") as file:
            return (
                _missing(file) or _damaged(file) or "expected tables of docs/hdf5.md, found others"
            )
    except BROKEN_HDF5:
        return "expected an HDF5 file, found another or a damaged one"


def _missing(file: h5py.File) -> str:
    if "voxels" not in file:
        return "expected the table voxels, found none"
    for table, attribute in _PLACES:
        if table not in file and attribute not in file.attrs:
            other = f" or the attribute {attribute}" if attribute else ""
            return f"expected the table {table}{other}, found none"
    group = file.get(_GROUP, {})
    absent = [name for name in _STORED if _GROUP in file and name not in group]
    return f"expected the table {_GROUP}/{absent[0]}, found none" if absent else ""


def _damaged(file: h5py.File) -> str:
    names: list[str] = []
    file.visit(names.append)
    for name in names:
        try:
            table = file[name]
            if isinstance(table, h5py.Dataset) and table.size < _MOST_CELLS:
                table[()]
        except BROKEN_HDF5:
            return f"expected a table {name} that can be read, found a damaged one"
    for name in file.attrs:
        try:
            file.attrs[name]
        except BROKEN_HDF5:
            return f"expected an attribute {name} that can be read, found a damaged one"
    return ""
