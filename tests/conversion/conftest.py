"""The samples with their pixels, in memory, and files of them."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset

from tests.support.dicom.synthetic import make_series, ramp

Save = Callable[[Sequence[FileDataset], Path], Path]


@pytest.fixture
def cine(cine_folder: Path) -> list[FileDataset]:
    """22 instances of two phases, doubly oblique."""
    return [pydicom.dcmread(path) for path in sorted(cine_folder.glob("*.dcm"))]


@pytest.fixture
def ct(ct_folder: Path) -> list[FileDataset]:
    """51 axial slices."""
    return [pydicom.dcmread(path) for path in sorted(ct_folder.glob("*.dcm"))]


@pytest.fixture
def save() -> Save:
    """Write data sets under names that say nothing of their order."""

    def write(data_sets: Sequence[FileDataset], folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        names = random.Random(7).sample(range(10_000), len(data_sets))
        for name, data_set in zip(names, data_sets, strict=True):
            pydicom.dcmwrite(folder / f"{name}", data_set)
        return folder

    return write


@pytest.fixture
def source(save: Save, tmp_path: Path) -> Path:
    """A folder with a series of three slices."""
    return save(make_series(ramp("<u2", 16), bits_stored=16), tmp_path / "source")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"
