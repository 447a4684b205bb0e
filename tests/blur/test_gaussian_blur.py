"""The blur is the Gaussian of the stated width in mm, on every axis by itself."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from core.errors import ConfigurationError, GeometryError
from imaging.derived.blur import gaussian_blur
from imaging.series.volume import Volume

SPACING = (3.27, 0.9, 1.4)


def _noise(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(7).uniform(-1000, 3000, shape).astype(np.float32)


def _reference(voxels: np.ndarray, sigma_mm: float, spacing_mm: tuple[float, ...]) -> np.ndarray:
    sigmas = [sigma_mm / spacing for spacing in spacing_mm]
    exact = voxels.astype(np.float64)
    return np.asarray(ndimage.gaussian_filter(exact, sigmas, mode="nearest", truncate=4))


@pytest.mark.parametrize("sigma_mm", [0.3, 1.0, 3.0, 12.0])
def test_it_agrees_with_double_precision(sigma_mm: Any) -> None:
    voxels = _noise((9, 31, 24))
    difference = gaussian_blur(voxels, sigma_mm, SPACING) - _reference(voxels, sigma_mm, SPACING)
    assert np.abs(difference).max() < 1e-5 * np.ptp(voxels)


def test_it_agrees_with_double_precision_on_a_real_ct(ct_volume: Volume) -> None:
    blurred = gaussian_blur(ct_volume.voxels, 3.0, ct_volume.spacing_mm)
    reference = _reference(ct_volume.voxels, 3.0, ct_volume.spacing_mm)
    assert blurred.dtype == np.float32
    assert np.abs(blurred - reference).max() < 1e-5 * np.ptp(ct_volume.voxels)


def test_zero_sigma_is_identity() -> None:
    voxels = _noise((4, 7, 5))
    assert np.array_equal(gaussian_blur(voxels, 0.0, SPACING), voxels)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_zero_sigma_on_an_axis_leaves_that_axis_alone(axis: Any) -> None:
    slices, rows, columns = (0.0 if one == axis else 2.0 for one in range(3))
    profile = _noise((6, 11, 8)).max(axis=tuple({0, 1, 2} - {axis}), keepdims=True)
    voxels = np.broadcast_to(profile, (6, 11, 8)).astype(np.float32)
    assert gaussian_blur(voxels, (slices, rows, columns), SPACING) == pytest.approx(
        voxels, rel=1e-6
    )


def test_a_point_spreads_by_sigma_in_millimetres_on_every_axis() -> None:
    voxels = np.zeros((41, 61, 51), dtype=np.float32)
    voxels[20, 30, 25] = 1.0
    spacing_mm = (2.0, 1.0, 1.5)
    blurred = gaussian_blur(voxels, 4.0, spacing_mm).astype(np.float64)
    for axis, spacing in enumerate(spacing_mm):
        profile = blurred.sum(axis=tuple({0, 1, 2} - {axis}))
        place_mm = (np.arange(profile.size) - profile.size // 2) * spacing
        assert np.sqrt((profile * place_mm**2).sum()) == pytest.approx(4.0, rel=0.005)


def test_edges_repeat_so_that_nothing_darkens() -> None:
    flat = np.full((3, 5, 4), 40.0, dtype=np.float32)
    assert gaussian_blur(flat, 50.0, SPACING) == pytest.approx(flat, rel=1e-6)


def test_a_lone_slice_is_blurred_in_its_plane() -> None:
    voxels = _noise((1, 12, 9))
    blurred = gaussian_blur(voxels, 2.0, SPACING)
    assert blurred == pytest.approx(gaussian_blur(voxels, (0.0, 2.0, 2.0), SPACING), abs=1e-2)
    assert blurred.std() < voxels.std() / 2


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    sigma_mm=st.floats(0.0, 20.0),
    spacing_mm=st.tuples(*[st.floats(0.3, 8.0)] * 3),
)
def test_shape_and_range_are_kept(shape: Any, sigma_mm: Any, spacing_mm: Any) -> None:
    voxels = _noise(shape)
    original = voxels.copy()
    blurred = gaussian_blur(voxels, sigma_mm, spacing_mm)
    assert blurred.shape == shape
    assert blurred.min() >= voxels.min() - 0.01
    assert blurred.max() <= voxels.max() + 0.01
    assert np.array_equal(voxels, original)


@pytest.mark.parametrize("sigma_mm", [-1.0, float("nan"), float("inf"), (1.0, -0.1, 1.0)])
def test_a_sigma_that_makes_no_sense_is_refused(sigma_mm: Any) -> None:
    with pytest.raises(ConfigurationError, match="sigma_mm"):
        gaussian_blur(_noise((2, 3, 4)), sigma_mm, SPACING)


def test_a_spacing_of_zero_is_refused() -> None:
    with pytest.raises(GeometryError, match="above 0"):
        gaussian_blur(_noise((2, 3, 4)), 1.0, (0.0, 1.0, 1.0))
