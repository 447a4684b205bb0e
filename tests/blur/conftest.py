"""A job, and real volumes to blur."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from core.identity import Provenance
from imaging.geometry import RULES_2D, RULES_3D, place
from imaging.series import read_folder
from imaging.volume import Volume, read_volume


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
def cine_volume(cine_folder: Path) -> Volume:
    """One phase of the doubly oblique cine."""
    headers = read_folder(cine_folder)[0][0].headers
    shared = [replace(header, frame_of_reference_uid="1.2.3") for header in headers]
    assert len(place(headers, RULES_2D).phases) == 2
    return read_volume(place(shared, RULES_3D).phases[0])
