"""Series for benchmarks, made from the sample CT."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset

from model.inference.checkpoint import load_checkpoint, save_checkpoint
from pipeline.kinds.unet import SHIPPED_CHECKPOINT
from tests.support.peers import write_series

_CT = Path(__file__).parent.parent / "samples" / "sts" / "STS_003" / "image"
_CT_SIZE = 512
_SPACING_MM = 3.0
_LONGEST_SH = 16


def planning_ct(folder: Path, slices: int) -> list[Path]:
    """Write a CT of `slices` axial images, 512 x 512 and 3 mm apart, under new UIDs."""
    sources = sorted(_CT.glob("*.dcm"))
    chosen = [sources[index % len(sources)] for index in range(slices)]

    def enlarge(data_set: FileDataset, index: int) -> None:
        _stack(data_set, index)
        pixels = data_set.pixel_array
        missing = [(0, _CT_SIZE - length) for length in pixels.shape]
        data_set.PixelData = np.pad(pixels, missing, mode="wrap").tobytes()
        data_set.Rows = data_set.Columns = _CT_SIZE

    return write_series(chosen, folder, enlarge)


def small_ct(folder: Path, slices: int, size: int) -> list[Path]:
    """Write a CT of `slices` images of `size` rows and columns, under new UIDs."""

    def shrink(data_set: FileDataset, index: int) -> None:
        _stack(data_set, index)
        pixels = data_set.pixel_array[:size, :size]
        data_set.PixelData, data_set.Rows, data_set.Columns = pixels.tobytes(), size, size

    return write_series(sorted(_CT.glob("*.dcm"))[:slices], folder, shrink)


def checkpoint_for_ct(path: Path) -> Path:
    """Write the shipped network with a card for CT: masks are meaningless, times the same."""
    card, weights = load_checkpoint(SHIPPED_CHECKPOINT)
    card = replace(card, modalities=("CT",), pixel_spacing_range_mm=(0.3, 3.0))
    save_checkpoint(path, card, weights)
    return path


def series_uid(paths: list[Path]) -> str:
    """The SeriesInstanceUID of the files."""
    return str(pydicom.dcmread(paths[0], stop_before_pixels=True).SeriesInstanceUID)


def _stack(data_set: FileDataset, index: int) -> None:
    x, y, _ = data_set.ImagePositionPatient
    data_set.ImagePositionPatient = [x, y, _SPACING_MM * index]
    data_set.InstanceNumber = index + 1
    data_set.StudyID = str(data_set.StudyID)[:_LONGEST_SH]
