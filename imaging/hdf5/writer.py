"""Conversion of an image series to HDF5 without loss; layout in docs/hdf5.md."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import h5py
import numpy as np
from pydicom.dataset import Dataset

from imaging.hdf5.volume_file import create_slices, fixed_texts, write_geometry
from imaging.pixels.pixel_format import PixelFormat, cells_of
from imaging.series.image_series import ImageSeries

STORED = "stored"
"""Name of the group with stored values and their formats."""

_UNSPECIFIED = "US"


def series_hdf5(series: ImageSeries) -> bytes:
    """Convert `series` to the bytes of an HDF5 file with voxels, stored values and geometry.

    The same series gives the same bytes, in any order of instances and any transfer syntax.

    Raises:
        GeometryError: an instance without a position in the patient.
        PixelError: pixels that cannot be decoded.
    """
    memory = BytesIO()
    with h5py.File(memory, "w") as file:
        _write_pixels(file, series)
        _write_formats(file[STORED], series.formats)
        file["slice_thicknesses_mm"] = [_thickness_mm(one) for one in series.data_sets]
        write_geometry(
            file,
            series.headers,
            affine_mm=series.affine_mm,
            slice_spacing_mm=series.slice_spacing_mm,
            units=units_of(series.data_sets[0]),
        )
    return memory.getvalue()


def units_of(data_set: Dataset) -> str:
    """Unit of rescaled values: Units for PET, else RescaleType (PS3.3 C.11.1.1.2)."""
    said = str(data_set.get("Units") or data_set.get("RescaleType") or "")
    if said:
        return "rescaled" if said == _UNSPECIFIED else said
    return "HU" if data_set.get("Modality") == "CT" else "rescaled"


def _write_pixels(file: Any, series: ImageSeries) -> None:
    """Write pixels slice by slice, so that no second uncompressed copy is in memory."""
    first = series.headers[0]
    shape = (len(series.headers), first.rows, first.columns)
    common = np.result_type(*[one.dtype for one in series.formats])
    voxels = create_slices(file, "voxels", shape, np.float32)
    stored = create_slices(file.create_group(STORED), "values", shape, common)
    for index, pixel_format in enumerate(series.formats):
        cells = cells_of(series.data_sets[index], pixel_format)
        values = pixel_format.values(cells)
        voxels[index] = pixel_format.rescaled(values)
        stored[index] = values
        unused = (cells ^ values).view(f"<u{cells.dtype.itemsize}")
        if unused.any():
            _unused_bits(file[STORED], shape)[index] = unused


def _unused_bits(group: Any, shape: tuple[int, ...]) -> Any:
    """Dataset of bits above the stored bits that are not the sign; created when first needed."""
    name = "unused_bits"
    return group[name] if name in group else create_slices(group, name, shape, np.uint32)


def _write_formats(group: Any, formats: Sequence[PixelFormat]) -> None:
    group["bits_allocated"] = np.array([one.bits_allocated for one in formats], np.uint16)
    group["bits_stored"] = np.array([one.bits_stored for one in formats], np.uint16)
    group["pixel_representations"] = np.array([one.is_signed for one in formats], np.uint16)
    group["photometric_interpretations"] = fixed_texts(
        [one.photometric_interpretation for one in formats]
    )
    group["rescale_slopes"] = np.array([one.slope for one in formats], np.float64)
    group["rescale_intercepts"] = np.array([one.intercept for one in formats], np.float64)
    group["rescale_types"] = fixed_texts([one.rescale_type for one in formats])
    group["has_rescale"] = np.array([one.has_rescale for one in formats], np.uint8)
    group["padding_values"] = _or_nan([one.padding_value for one in formats])
    group["padding_range_limits"] = _or_nan([one.padding_range_limit for one in formats])
    group["lossy"] = np.array([one.is_lossy for one in formats], np.uint8)


def _or_nan(values: Sequence[int | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _thickness_mm(data_set: Dataset) -> float:
    try:
        thickness = float(data_set.get("SliceThickness") or np.nan)
    except (TypeError, ValueError):
        return float("nan")
    return thickness if np.isfinite(thickness) else float("nan")
