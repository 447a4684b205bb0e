"""The blur equals scipy's in double precision, whatever the shape, the width and the memory."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from core.errors import ConfigurationError
from imaging.derived.blur import gaussian_blur
from imaging.derived.gaussian_bands import gaussian_bands

_PART_OF_RANGE = 1e-5
# every axis crosses the 32 rows of a band now and then, and has lone values now and then
_SHAPES = st.tuples(*[st.one_of(st.integers(1, 5), st.integers(30, 70))] * 3)
_SIGMAS = st.tuples(
    *[st.one_of(st.floats(0.0, 0.2), st.floats(0.2, 4.0), st.floats(4.0, 90.0))] * 3
)


def _voxels(shape: tuple[int, ...], seed: int = 3) -> np.ndarray:
    """A step, a point and noise: what CT has at the skin, at a marker and all over."""
    random = np.random.default_rng(seed)
    voxels = random.normal(0.0, 30.0, shape)
    voxels[:, : shape[1] // 2] -= 1000.0
    voxels[tuple(int(at) for at in random.integers(shape))] = 3000.0
    return voxels.astype(np.float32)


def _double(voxels: np.ndarray, sigmas: tuple[float, ...]) -> np.ndarray:
    exact = voxels.astype(np.float64)
    return np.asarray(ndimage.gaussian_filter(exact, sigmas, mode="nearest", truncate=4.0))


def _error(blurred: np.ndarray, reference: np.ndarray, voxels: np.ndarray) -> float:
    """The largest difference as a part of the range of the input."""
    return float(np.abs(blurred - reference).max() / max(np.ptp(voxels), 1e-30))


@settings(max_examples=120, deadline=None)
@given(shape=_SHAPES, sigmas=_SIGMAS, threads=st.integers(1, 3), seed=st.integers(0, 9))
@example(shape=(1, 1, 2), sigmas=(90.0, 90.0, 90.0), threads=2, seed=0)
@example(shape=(1, 64, 33), sigmas=(3.0, 0.05, 3.0), threads=2, seed=0)
@example(shape=(2, 32, 65), sigmas=(40.0, 40.0, 40.0), threads=1, seed=0)
@example(shape=(70, 31, 1), sigmas=(0.13, 0.0, 5.0), threads=3, seed=0)
def test_any_shape_and_width_equals_scipy_in_double_precision(
    shape: Any, sigmas: Any, threads: Any, seed: Any
) -> None:
    voxels = _voxels(shape, seed)
    blurred = gaussian_blur(voxels, sigmas, (1.0, 1.0, 1.0), threads=threads)
    assert blurred.dtype == np.float32
    # a lone slice of one grey has no range: what float32 rounds at -1000 is allowed as well
    allowed = _PART_OF_RANGE * float(np.ptp(voxels)) + 4 * float(np.spacing(np.float32(1000.0)))
    assert np.abs(blurred - _double(voxels, sigmas)).max() <= allowed


@pytest.mark.parametrize("size", [(40, 200, 210), (3, 512, 512), (150, 67, 71)])
def test_a_larger_volume_differs_by_far_less_than_is_promised(size: tuple[int, int, int]) -> None:
    voxels = _voxels(size)
    sigmas = (1.0, 3.07, 3.07)
    blurred = gaussian_blur(voxels, sigmas, (1.0, 1.0, 1.0), threads=2)
    assert _error(blurred, _double(voxels, sigmas), voxels) < 1e-6


@pytest.mark.parametrize("spacing_mm", [(3.0, 0.98, 0.98), (0.7, 1.3, 2.9)])
def test_width_in_mm_becomes_width_in_voxels_on_each_axis(spacing_mm: Any) -> None:
    voxels = _voxels((31, 40, 50))
    reference = _double(voxels, tuple(3.0 / spacing for spacing in spacing_mm))
    assert _error(gaussian_blur(voxels, 3.0, spacing_mm), reference, voxels) < 1e-6


def _column_major(voxels: np.ndarray) -> np.ndarray:
    return np.asfortranarray(voxels)


def _every_second(voxels: np.ndarray) -> np.ndarray:
    return np.repeat(voxels, 2, axis=2)[:, :, ::2]


def _upside_down(voxels: np.ndarray) -> np.ndarray:
    return voxels[::-1, ::-1].copy()[::-1, ::-1]


def _big_endian(voxels: np.ndarray) -> np.ndarray:
    return voxels.astype(">f4")


@pytest.mark.parametrize("change", [_column_major, _every_second, _upside_down, _big_endian])
def test_how_the_input_lies_in_memory_changes_nothing(change: Any) -> None:
    voxels = _voxels((9, 37, 41))
    other = change(voxels)
    assert np.array_equal(other, voxels)
    blurred = gaussian_blur(other, 2.0, (3.0, 1.0, 1.0))
    assert np.array_equal(blurred, gaussian_blur(voxels, 2.0, (3.0, 1.0, 1.0)))
    assert blurred.flags.c_contiguous


def test_a_read_only_input_is_left_alone_and_the_result_is_apart() -> None:
    voxels = _voxels((4, 9, 8))
    voxels.flags.writeable = False
    for sigma_mm in (0.0, 2.0):
        blurred = gaussian_blur(voxels, sigma_mm, (1.0, 1.0, 1.0))
        assert not np.shares_memory(blurred, voxels)
        assert blurred.flags.writeable


def test_any_number_of_threads_gives_the_same_bits() -> None:
    voxels = _voxels((33, 70, 65))
    one, four = (gaussian_blur(voxels, 3.0, (2.0, 1.0, 1.0), threads=n) for n in (1, 4))
    assert np.array_equal(one, four)


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())
    gaussian_blur(_voxels((3, 40, 40)), 2.0, (1.0, 1.0, 1.0), threads=4)
    assert set(threading.enumerate()) <= before


def test_no_threads_at_all_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="threads is 0"):
        gaussian_blur(_voxels((2, 3, 4)), 1.0, (1.0, 1.0, 1.0), threads=0)


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.1249])
def test_a_sigma_below_an_eighth_of_a_voxel_leaves_the_axis_bit_for_bit(sigma: float) -> None:
    voxels = _voxels((5, 6, 7))
    assert np.array_equal(gaussian_blur(voxels, sigma, (1.0, 1.0, 1.0)), voxels)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(2, 200), sigma=st.floats(0.13, 300.0))
def test_bands_cover_each_output_once_with_weights_that_sum_to_one(
    length: int, sigma: float
) -> None:
    bands = gaussian_bands(length, sigma)
    assert [at for band in bands for at in range(length)[band.outputs]] == list(range(length))
    for band in bands:
        assert band.weights.sum(axis=1, dtype=np.float64) == pytest.approx(1.0, abs=1e-6)
        assert band.weights.min() >= 0.0
