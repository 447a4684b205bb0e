"""Memory grows with the file and with one mask, not with the number of structures."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.identity import Provenance
from imaging.instances.header import Header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import iterate_masks
from imaging.rtstruct.writer import Roi, build_structure_set

SHAPE = (160, 160)
ROIS = [Roi(f"Part{number}", (1, 2, 3)) for number in range(12)]


@pytest.fixture
def large(
    write_phantom: Callable[..., list[Header]], provenance: Provenance, tmp_path: Path
) -> tuple[Path, list[Header]]:
    """Twelve structures of long contours on twenty slices, about two megabytes."""
    offsets_mm = tuple(2.5 * at for at in range(20))
    headers = [
        replace(header, rows=SHAPE[0], columns=SHAPE[1]) for header in write_phantom(offsets_mm)
    ]
    comb = np.zeros((len(headers), *SHAPE), dtype=bool)
    comb[:, 5:150, 5:150:3] = comb[:, 149, 5:150] = True
    masks = {roi.name: comb for roi in ROIS}
    path = tmp_path / "RS.dcm"
    data_set = build_structure_set(headers, masks, ROIS, provenance, label="AUTO")
    data_set.save_as(path, enforce_file_format=True)
    return path, headers


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """The most bytes that Python and numpy held since the test began to count."""
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_reading_holds_little_more_than_twice_the_file(
    large: tuple[Path, list[Header]], peak: Callable[[], int]
) -> None:
    path, _ = large
    tracemalloc.start()
    read = read_structure_set(path)
    assert len(read.rois) == len(ROIS)
    assert peak() < 3 * path.stat().st_size


def test_masks_hold_one_structure_at_a_time(
    large: tuple[Path, list[Header]], peak: Callable[[], int]
) -> None:
    path, headers = large
    read = read_structure_set(path)
    one_mask = len(headers) * SHAPE[0] * SHAPE[1]
    tracemalloc.start()
    names = [one.name for one in iterate_masks(read, headers)]
    assert len(names) == len(ROIS)
    assert peak() < len(ROIS) * one_mask / 2
