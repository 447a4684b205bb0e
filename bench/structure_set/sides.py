"""Workloads of `bench.structure_set`: ours, and the same with rt-utils.

Nothing is imported that the side does not need: its memory counts.
"""

import contextlib
import importlib
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.isolated import Prepared
from core.identity import Provenance
from imaging.geometry.placement import RULES_3D, place
from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import iterate_masks
from imaging.rtstruct.writer import Roi, build_structure_set

Named = Iterator[tuple[str, npt.NDArray[np.bool_]]]
_NAMED = attrgetter("name", "mask")
_COLOR = (255, 0, 0)


def ours_write(series: str, masks: str, path: str) -> Prepared:
    """Write a structure set: headers, contours, file."""
    drawn = dict(np.load(masks))

    def work() -> None:
        headers = _headers(series)
        rois = [Roi(name, _COLOR) for name in drawn]
        provenance = Provenance("bench", "1.2.3.4.", datetime(2026, 1, 2, 3, 4, 5), "bench")
        data_set = build_structure_set(headers, drawn, rois, provenance, label="BENCH")
        data_set.save_as(path, enforce_file_format=True)

    return work, lambda _: _size(path)


def theirs_write(series: str, masks: str, path: str) -> Prepared:
    """Write with rt-utils as in its manual; its masks are [row, column, slice]."""
    rt_utils = importlib.import_module("rt_utils")
    drawn = {name: np.moveaxis(mask, 0, -1) for name, mask in np.load(masks).items()}

    def work() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            builder = rt_utils.RTStructBuilder.create_new(series)
            for name, mask in drawn.items():
                builder.add_roi(mask=mask, color=list(_COLOR), name=name)
            builder.save(path)

    return work, lambda _: _size(path)


def ours_read(series: str, masks: str, path: str) -> Prepared:
    """Read a structure set: headers, file, masks one by one."""

    def read() -> Named:
        headers = _headers(series)
        yield from map(_NAMED, iterate_masks(read_structure_set(Path(path)), headers))

    return partial(_consume, read), lambda _: _compare(read(), masks)


def theirs_read(series: str, masks: str, path: str) -> Prepared:
    """Read with rt-utils, from the file that it wrote."""
    rt_utils = importlib.import_module("rt_utils")

    def read() -> Named:
        builder = rt_utils.RTStructBuilder.create_from(series, path)
        for name in builder.get_roi_names():
            yield name, np.moveaxis(builder.get_roi_mask_by_name(name), -1, 0)

    return partial(_consume, read), lambda _: _compare(read(), masks)


def _headers(series: str) -> list[Header]:
    headers = [read_header(path) for path in sorted(Path(series).iterdir())]
    return list(place(headers, RULES_3D).headers)


def _consume(read: Callable[[], Named]) -> None:
    for _, mask in read():
        del mask


def _compare(read: Named, masks: str) -> dict[str, Any]:
    """Number of voxels that differ after writing and reading."""
    drawn = np.load(masks)
    different = inside = 0
    for name, mask in read:
        expected = drawn[name]
        inside += int(expected.sum())
        different += int((mask != expected).sum())
    return {"voxels wrong": f"{different} of {inside}"}


def _size(path: str) -> dict[str, Any]:
    return {"file MB": round(Path(path).stat().st_size / 1e6, 1)}
