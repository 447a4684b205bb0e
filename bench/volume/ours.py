"""Our side of `bench.volume`; imports only what it needs, as its memory is measured."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.isolated import Prepared
from imaging.geometry.placement import RULES_3D, place
from imaging.series.series import read_folder
from imaging.series.volume import Volume, read_volume


def ours(folder: str) -> Prepared:
    """Read a folder as a job does: headers, order and pixels."""

    def work() -> Volume:
        (series,), _ = read_folder(Path(folder))
        return read_volume(place(series.headers, RULES_3D).phases[0])

    def describe(volume: Volume) -> dict[str, Any]:
        return {"sum": float(volume.voxels.sum(dtype=np.float64)), "type": str(volume.voxels.dtype)}

    return work, describe
