"""`python -m bench.structure_set`: masks to an RT Structure Set and back, beside rt-utils.

Both sides start from the series' folder and the masks in memory, and end with a file; then from
the folder and that file, and end with one mask after the other.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rt_utils

from bench.isolated import Prepared, Run, run_isolated
from bench.phantom import write_masks
from bench.report import OURS, Case, measure, report
from bench.series import planning_ct
from core.identity import Provenance
from imaging.geometry import RULES_3D, place
from imaging.header import Header, read_header
from imaging.structure_set import Roi, build_structure_set
from imaging.structure_set_masks import to_masks
from imaging.structure_set_reader import read_structure_set

_PEER = "rt-utils"
_SIZE = 512
_COLOR = (255, 0, 0)
Named = Iterator[tuple[str, npt.NDArray[np.bool_]]]


def main() -> None:
    """Print one table: writing and reading, for a body with holes and for twenty structures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    values = parser.parse_args()
    cases = []
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        folder = Path(name)
        planning_ct(folder / "ct", values.slices)
        for case, masks in write_masks(folder, (values.slices, _SIZE, _SIZE)).items():
            cases += [
                _case(f"write {case}", folder, masks, values.runs),
                _case(f"read {case}", folder, masks, values.runs),
            ]
    title = f"Structure sets of {_SIZE} x {_SIZE} x {values.slices}"
    report("structure_set", title, {"slices": values.slices, "size": _SIZE}, cases)


def _case(name: str, folder: Path, masks: Path, runs: int) -> Case:
    kind = name.split(maxsplit=1)[0]

    def side(maker: str) -> Callable[[], Run]:
        path = folder / f"{maker}-{masks.stem}.dcm"
        function = f"bench.structure_set:{maker}_{kind}"
        return lambda: run_isolated(sys.executable, function, folder / "ct", masks, path)

    return measure(name, runs, {OURS: side("ours"), _PEER: side("theirs")})


def ours_write(series: str, masks: str, path: str) -> Prepared:
    """Headers, contours, file."""
    drawn = dict(np.load(masks))

    def work() -> None:
        headers = _headers(series)
        rois = [Roi(name, _COLOR) for name in drawn]
        provenance = Provenance("bench", "1.2.3.4.", datetime(2026, 1, 2, 3, 4, 5), "bench")
        data_set = build_structure_set(headers, drawn, rois, provenance, label="BENCH")
        data_set.save_as(path, enforce_file_format=True)

    return work, lambda _: _size(path)


def theirs_write(series: str, masks: str, path: str) -> Prepared:
    """The same with rt-utils as its manual has it; it wants [row, column, slice]."""
    drawn = {name: np.moveaxis(mask, 0, -1) for name, mask in np.load(masks).items()}

    def work() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            builder = rt_utils.RTStructBuilder.create_new(series)
            for name, mask in drawn.items():
                builder.add_roi(mask=mask, color=list(_COLOR), name=name)
            builder.save(path)

    return work, lambda _: _size(path)


def ours_read(series: str, masks: str, path: str) -> Prepared:
    """Headers, file, one mask after the other."""

    def read() -> Named:
        headers = _headers(series)
        found = read_structure_set(Path(path))
        for roi in found.rois:
            yield roi.name, to_masks(replace(found, rois=(roi,)), headers)[0][roi.name]

    return partial(_consume, read), lambda _: _compare(read(), masks)


def theirs_read(series: str, masks: str, path: str) -> Prepared:
    """The same with rt-utils, from the file that it wrote."""

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
    """How many of the drawn voxels came back otherwise."""
    drawn = np.load(masks)
    different = inside = 0
    for name, mask in read:
        expected = drawn[name]
        inside += int(expected.sum())
        different += int((mask != expected).sum())
    return {"voxels wrong": f"{different} of {inside}"}


def _size(path: str) -> dict[str, Any]:
    return {"file MB": round(Path(path).stat().st_size / 1e6, 1)}


if __name__ == "__main__":
    main()
