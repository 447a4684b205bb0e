"""The results that a job on a planning CT leaves: 300 slices of 512 x 512, a million points."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from core.identity import Provenance
from imaging.hdf5.volume_file import write_volume_hdf5
from imaging.instances.header import Header, read_header
from imaging.rtstruct.writer import Roi, build_structure_set
from tests.support.web.clinic import Clinic

SLICES, SIDE = 300, 512
_SPACING_MM, _BETWEEN_MM = 0.98, 3.0
_RADII = (40, 90, 150, 200)
_MADE_BY = Provenance("job 1", "1.2.3.4.", datetime(2026, 3, 9, 14, 5, 6), "a phantom")


def exchange_results(clinic: Clinic, case: int, like: Path, structures: int = 4) -> None:
    """Instead of what the case's job made, a planning CT with one to four structures.

    `like` is an instance of a CT, whose header says the rest.
    """
    first = read_header(like)
    headers = [_header(first, number) for number in range(SLICES)]
    folder = Path(clinic.case(case).history.result_folders[0])
    [structure_set] = (folder / "dicom").glob("*.dcm")
    row, column = np.mgrid[:SIDE, :SIDE]
    radius = np.hypot(row - SIDE / 2, column - SIDE / 2)
    body = np.where(radius < 220, 40.0, -1000.0).astype(np.float32)
    noise = np.random.default_rng(1).integers(-20, 21, (8, SIDE, SIDE)).astype(np.float32)
    voxels = np.stack([body + noise[number % 8] for number in range(SLICES)])
    write_volume_hdf5(folder / "volume.h5", voxels, headers, slice_spacing_mm=_BETWEEN_MM)
    masks = {
        f"S{size}": np.broadcast_to((radius < size) & (radius > size / 2), voxels.shape)
        for size in _RADII[:structures]
    }
    rois = [Roi(name, (230, 159, 0), "ORGAN") for name in masks]
    build_structure_set(headers, masks, rois, _MADE_BY, label="SPEED", description="").save_as(
        structure_set, enforce_file_format=True
    )


def _header(first: Header, number: int) -> Header:
    return replace(
        first,
        sop_instance_uid=f"1.2.3.{number + 1}",
        rows=SIDE,
        columns=SIDE,
        pixel_spacing_mm=(_SPACING_MM, _SPACING_MM),
        image_position_mm=(-250.0, -250.0, _BETWEEN_MM * number),
        image_orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
        instance_number=number + 1,
    )
