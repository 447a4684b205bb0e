"""A job, real volumes to blur, and derived series saved as files."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset

from core.identity import Provenance
from imaging.derived.series import build_derived_series
from imaging.geometry.placement import RULES_3D, place
from imaging.instances.header import read_header
from imaging.pixels.reader import Voxels
from imaging.series.series import read_folder
from imaging.series.volume import Volume, read_volume

Save = Callable[..., list[Path]]
Change = Callable[[FileDataset, int], None]


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return Provenance(
        job_id="job 1",
        root_uid="1.2.826.0.1.3680043.8.498.",
        created=datetime(2024, 5, 6, 7, 8, 9),
        pipeline="3D Gaussian blur, sigma 3 mm",
    )


@pytest.fixture(scope="session")
def ct_volume(ct_folder: Path) -> Volume:
    return read_volume(place(read_folder(ct_folder)[0][0].headers, RULES_3D).phases[0])


@pytest.fixture(scope="session")
def ct_part(ct_volume: Volume) -> Volume:
    """Four slices of the CT, where more would only take longer."""
    return read_volume(ct_volume.headers[20:24])


@pytest.fixture(scope="session")
def cine_volume(cine_folder: Path) -> Volume:
    """One phase of the doubly oblique cine."""
    headers = read_folder(cine_folder)[0][0].headers
    shared = [replace(header, frame_of_reference_uid="1.2.3") for header in headers]
    return read_volume(place(shared, RULES_3D).phases[0])


@pytest.fixture
def save(provenance: Provenance, tmp_path: Path) -> Save:
    def save_derived(
        volume: Volume, result: Voxels, description: str = "Blurred 3 mm"
    ) -> list[Path]:
        (tmp_path / "derived").mkdir()
        paths = []
        built = build_derived_series(volume, result, provenance, description=description)
        for index, data_set in enumerate(built):
            paths.append(tmp_path / "derived" / f"{index}.dcm")
            data_set.save_as(paths[-1], enforce_file_format=True)
        return paths

    return save_derived


@pytest.fixture
def changed(ct_volume: Volume, tmp_path: Path) -> Callable[[Change], Volume]:
    """The first four slices of the real CT with something about each changed."""

    def change_all(change: Change) -> Volume:
        headers = []
        for index, header in enumerate(ct_volume.headers[:4]):
            data_set = pydicom.dcmread(header.path)
            change(data_set, index)
            data_set.save_as(tmp_path / f"source{index}.dcm")
            headers.append(read_header(tmp_path / f"source{index}.dcm"))
        return read_volume(headers)

    return change_all
