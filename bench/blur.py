"""`python -m bench.blur`: the blur compared with scipy's: time, memory and values."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from bench.isolated import Prepared, run_isolated
from bench.report import OURS, measure, report
from imaging.derived.blur import gaussian_blur

_SIGMA_MM = 3.0
_SPACINGS_MM = ((1.0, 1.0, 1.0), (3.0, 0.9766, 0.9766))
_CHECKED_SLICES = 60


def main() -> None:
    """Print one table: ours with one and two threads, scipy in single precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=[200, 512, 512])
    parser.add_argument("--runs", type=int, default=5)
    values = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        path = Path(name) / "volume.npy"
        _write_volume(path, tuple(values.shape))
        volume_mb = path.stat().st_size / 1e6
        cases = [_case(path, spacing, values.runs) for spacing in _SPACINGS_MM]
    slices, rows, columns = values.shape
    title = f"Blur of {columns} x {rows} x {slices}, sigma {_SIGMA_MM:g} mm, {volume_mb:.0f} MB"
    sizes = {"shape": values.shape, "sigma_mm": _SIGMA_MM, "volume_mb": volume_mb}
    report("blur", title, sizes, cases)


def ours(path: str, threads: str, *spacing_mm: str) -> Prepared:
    """The blur of the pipeline."""
    voxels = np.load(path)
    slices, rows, columns = (float(one) for one in spacing_mm)

    def work() -> Any:
        return gaussian_blur(voxels, _SIGMA_MM, (slices, rows, columns), threads=int(threads))

    return work, lambda result: {"error": _error(result, voxels, (slices, rows, columns))}


def scipys(path: str, *spacing_mm: str) -> Prepared:
    """The same volume and the same kernel with scipy.ndimage."""
    voxels = np.load(path)
    sigmas = [_SIGMA_MM / float(one) for one in spacing_mm]

    def work() -> Any:
        return ndimage.gaussian_filter(voxels, sigmas, mode="nearest", truncate=4.0)

    return work, lambda result: {
        "error": _error(result, voxels, tuple(float(one) for one in spacing_mm))
    }


def _case(path: Path, spacing_mm: tuple[float, ...], runs: int) -> Any:
    texts = [str(one) for one in spacing_mm]

    def side(function: str, *arguments: str | Path) -> Any:
        return lambda: run_isolated(sys.executable, f"bench.blur:{function}", *arguments)

    sides = {
        OURS: side("ours", path, "2", *texts),
        f"{OURS}, 1 thread": side("ours", path, "1", *texts),
        "scipy": side("scipys", path, *texts),
    }
    return measure(" x ".join(f"{one:g}" for one in spacing_mm) + " mm", runs, sides)


def _error(result: Any, voxels: Any, spacing_mm: tuple[float, ...]) -> str:
    """Largest difference from double precision in the first slices, as a share of the range."""
    sigmas = [_SIGMA_MM / one for one in spacing_mm]
    beyond = int(4 * sigmas[0] + 0.5)
    part = voxels[: _CHECKED_SLICES + beyond].astype(np.float64)
    exact = ndimage.gaussian_filter(part, sigmas, mode="nearest", truncate=4.0)[:_CHECKED_SLICES]
    difference = np.abs(result[:_CHECKED_SLICES] - exact).max() / np.ptp(voxels)
    return f"{difference:.1e}"


def _write_volume(path: Path, shape: tuple[int, ...]) -> None:
    """Write noise like HU values, equally hard along all axes and everywhere."""
    random = np.random.default_rng(1)
    volume = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for index in range(shape[0]):
        volume[index] = random.uniform(-1000, 3000, shape[1:])
    volume.flush()


if __name__ == "__main__":
    main()
