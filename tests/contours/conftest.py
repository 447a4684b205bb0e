"""Headers of the samples and of an oblique phantom, and the provenance of a job."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imaging.instances.header import Header, read_header
from tests.support.dicom.phantom import Mask, provenance, write_phantom

__all__ = ["provenance", "write_phantom"]


@pytest.fixture(scope="session")
def ct_headers(ct_folder: Path) -> list[Header]:
    return [read_header(path) for path in sorted(ct_folder.glob("*.dcm"))]


@pytest.fixture(scope="session")
def cine_headers(cine_folder: Path) -> list[Header]:
    return [read_header(path) for path in sorted(cine_folder.glob("*.dcm"))]


@pytest.fixture
def blobs() -> Callable[[list[Header], int], Mask]:
    """Makes masks [instance, row, column] with islands, holes and pixels on the border."""

    def make(headers: list[Header], seed: int) -> Mask:
        shape = (len(headers), headers[0].rows, headers[0].columns)
        high, wide = max(shape[1] // 20, 2), max(shape[2] // 16, 3)
        grid = (shape[0], shape[1] // high + 1, shape[2] // wide + 1)
        coarse = np.random.default_rng(seed).random(grid) > 0.5
        full = coarse.repeat(high, axis=1).repeat(wide, axis=2)
        mask: Mask = full[:, : shape[1], : shape[2]].copy()
        mask[0] = False
        return mask

    return make
