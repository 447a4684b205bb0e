"""Separable three-dimensional Gaussian blur."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt

from core.errors import ConfigurationError, GeometryError
from core.job import Report
from imaging.derived.gaussian_bands import Band, apply_bands, gaussian_bands

Voxels = npt.NDArray[np.float32]
PerAxis = tuple[float, float, float]
_Bands = tuple[Band, ...]
_Step = Callable[[], None]
_ROWS_AT_ONCE = 16
_VALUES_AT_ONCE = 2**20


def gaussian_blur(
    voxels: Voxels,
    sigma_mm: float | PerAxis,
    spacing_mm: PerAxis,
    *,
    threads: int = 1,
    report: Report | None = None,
) -> Voxels:
    """Blur `voxels` [slice, row, column] with a Gaussian; the result has the same shape.

    Edge values are repeated beyond the edge, the kernel is truncated at 4 sigma, and a sigma of 0
    leaves its axis unchanged. Sums are in single precision and differ from double precision by
    about 1e-6 of the largest absolute value. The input is not changed; besides input and result,
    memory for a few slices is needed, and for a copy of an input that is not contiguous.

    Args:
        voxels: float32 [slice, row, column], finite.
        sigma_mm: standard deviation in mm, for all axes or as (slice, row, column).
        spacing_mm: distance between neighbouring slices, rows and columns.
        threads: number of threads of this call.
        report: function that receives the progress.

    Raises:
        ConfigurationError: a sigma is negative or not a number, or `threads` is below 1.
        GeometryError: a spacing is not above zero.
    """
    if threads < 1:
        raise ConfigurationError(f"threads is {threads}, expected at least 1")
    sigmas = _sigmas_mm_to_voxels(sigma_mm, spacing_mm)
    lengths = zip(voxels.shape, sigmas, strict=True)
    across, *in_plane = (gaussian_bands(length, sigma) for length, sigma in lengths)
    source = np.ascontiguousarray(voxels, dtype=np.float32)
    if not any([across, *in_plane]):
        return source.copy()
    target = np.empty_like(source)
    with ThreadPoolExecutor(threads) as pool:
        if across:
            _run_steps(pool, _across_slices(across, source, target), _part(report, 0.0, 0.5))
            source = target
        _run_steps(pool, _in_slices(in_plane, source, target), _part(report, 0.5, 1.0))
    return target


def _run_steps(pool: ThreadPoolExecutor, steps: Iterator[_Step], report: Report) -> None:
    futures = [pool.submit(step) for step in steps]
    for number, future in enumerate(futures, 1):
        future.result()
        report(number / len(futures), "blurred")


def _part(report: Report | None, start: float, end: float) -> Report:
    """Report function for a pass over the volume, which takes progress from `start` to `end`."""

    def report_part(fraction: float, words: str) -> None:
        if report is not None:
            done = start + (end - start) * fraction
            report(done, f"{words} {done:.0%} of the volume")

    return report_part


def _across_slices(bands: _Bands, source: Voxels, target: Voxels) -> Iterator[_Step]:
    """Yield steps that each blur some rows of all slices along the slice axis."""
    of_rows, to_rows = source.swapaxes(0, 1), target.swapaxes(0, 1)
    for first in range(0, len(of_rows), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        yield partial(apply_bands, bands, of_rows[part], to_rows[part])


def _in_slices(bands: list[_Bands], source: Voxels, target: Voxels) -> Iterator[_Step]:
    """Yield steps that each blur some slices within their plane; `target` may be `source`."""
    at_once = max(1, _VALUES_AT_ONCE // max(1, source[:1].size))
    for first in range(0, len(source), at_once):
        part = slice(first, first + at_once)
        yield partial(_blur_slices, bands, source[part], target[part])


def _blur_slices(bands: list[_Bands], source: Voxels, target: Voxels) -> None:
    down_columns, along_rows = bands
    between = np.empty_like(source) if down_columns else source.copy()
    apply_bands(down_columns, source, between)
    if along_rows:
        apply_bands(along_rows, between.swapaxes(1, 2), target.swapaxes(1, 2))
    else:
        target[...] = between


def _sigmas_mm_to_voxels(sigma_mm: float | PerAxis, spacing_mm: PerAxis) -> PerAxis:
    sigmas = sigma_mm if isinstance(sigma_mm, tuple) else (sigma_mm, sigma_mm, sigma_mm)
    if not all(math.isfinite(sigma) and sigma >= 0 for sigma in sigmas):
        raise ConfigurationError(
            f"sigma_mm is {sigma_mm}, expected numbers in mm that are 0 or more"
        )
    if not all(math.isfinite(spacing) and spacing > 0 for spacing in spacing_mm):
        raise GeometryError(f"Voxel spacing is {spacing_mm} mm, expected above 0")
    slices, rows, columns = (s / spacing for s, spacing in zip(sigmas, spacing_mm, strict=True))
    return slices, rows, columns
