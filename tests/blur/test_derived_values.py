"""Stored values, slope and intercept of a derived series reproduce the result."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from core.errors import OutputError
from imaging.derived.blur import gaussian_blur
from imaging.pixels.reader import Voxels, read_stored
from imaging.series.volume import Volume

PET = "1.2.840.10008.5.1.4.1.1.128"


def _blurred(volume: Volume) -> Voxels:
    return gaussian_blur(volume.voxels, 3.0, volume.spacing_mm)


def _largest_error(paths: list[Path], result: Voxels) -> float:
    """In stored units, in double precision."""
    errors = []
    for path, expected in zip(paths, result, strict=True):
        stored = read_stored(path)
        exact = stored.values[0].astype(np.float64) * stored.slope + stored.intercept
        errors.append(float(np.abs(exact - expected).max()) / stored.slope)
    return max(errors)


@pytest.mark.parametrize("name", ["ct_volume", "cine_volume"])
def test_stored_values_are_within_half_a_unit_of_the_result(
    name: str, request: pytest.FixtureRequest, save: Any
) -> None:
    volume = request.getfixturevalue(name)
    paths = save(volume, _blurred(volume))
    assert _largest_error(paths, _blurred(volume)) <= 0.5 + 1e-6


def _make_pet(data_set: FileDataset, index: int) -> None:
    data_set.SOPClassUID = data_set.file_meta.MediaStorageSOPClassUID = UID(PET)
    data_set.PixelData = np.abs(data_set.pixel_array).tobytes()
    data_set.RescaleSlope = f"0.00{index + 1}7"


def test_pet_with_a_slope_for_each_slice_gets_one_that_fits_and_keeps_its_time(
    changed: Any, save: Any
) -> None:
    volume = changed(_make_pet)
    result = _blurred(volume)
    paths = save(volume, result)
    derived = pydicom.dcmread(paths[0])
    assert derived.RescaleIntercept == 0
    assert len({pydicom.dcmread(path).RescaleSlope for path in paths}) == 1
    assert derived.pixel_array.max() < 65536
    assert _largest_error(paths, result) <= 0.5 + 1e-6
    source = pydicom.dcmread(volume.headers[0].path)
    assert (derived.SeriesDate, derived.SeriesTime) == (source.SeriesDate, source.SeriesTime)


@pytest.mark.parametrize(("scale", "shift"), [(1e3, 0.0), (1e7, -3e9), (37.0, 40000.123)])
def test_values_beyond_the_stored_type_get_a_slope_that_fits(
    changed: Any, save: Any, scale: Any, shift: Any
) -> None:
    volume = changed(lambda data_set, index: None)
    result = (volume.voxels * scale + shift).astype(np.float32)
    paths = save(volume, result)
    assert _largest_error(paths, result) <= 0.5 + 1e-6
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        assert len(str(pydicom.dcmread(paths[0])[keyword].value)) <= 16


def test_negative_pet_values_are_kept(changed: Any, save: Any) -> None:
    volume = changed(_make_pet)
    result = volume.voxels - 3.0
    paths = save(volume, result)
    assert pydicom.dcmread(paths[0]).RescaleIntercept == 0
    assert _largest_error(paths, result) <= 0.5 + 1e-6


@pytest.mark.parametrize("value", [0.0, 7.25])
def test_one_value_everywhere_can_be_stored(changed: Any, save: Any, value: Any) -> None:
    volume = changed(_make_pet)
    result = np.full_like(volume.voxels, value)
    assert _largest_error(save(volume, result), result) <= 0.5 + 1e-6


def test_a_result_of_another_shape_or_without_numbers_is_refused(
    ct_part: Volume, save: Any, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="expected"):
        save(ct_part, ct_part.voxels[1:])
    (tmp_path / "derived").rmdir()
    broken = ct_part.voxels.copy()
    broken[3, 2, 1] = np.nan
    with pytest.raises(OutputError, match="not finite"):
        save(ct_part, broken)
