"""Programs of other vendors read the same masks from the segmentations that are written."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.identity import Provenance
from imaging.geometry.placement import RULES_2D, place
from imaging.instances.header import Header
from imaging.rtstruct.writer import Roi
from imaging.seg.writer import Algorithm, build_segmentation
from tests.contours.dciodvfy import SUMMARY, VALUE, values_of

ROIS = [Roi("Lung_L", (0, 114, 178), "ORGAN"), Roi("GTV", (255, 0, 0), "GTV"), Roi("X", (0, 0, 0))]


def dciodvfy_errors(path: Path) -> set[str]:
    """Lines of errors, less the one that sums up those of values."""
    done = subprocess.run(
        ["/usr/bin/dciodvfy", str(path)], capture_output=True, text=True, check=False
    )
    assert "Segmentation" in done.stderr.split()
    lines = {line.strip() for line in done.stderr.splitlines() if line.startswith("Error - ")}
    return lines - {SUMMARY}


def written(headers: list[Header], provenance: Provenance, folder: Path) -> Path:
    """Two structures that overlap, and one that was not found."""
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    mask[2:, 30:60, 40:80] = True
    masks = {"Lung_L": mask, "GTV": mask & (np.indices(mask.shape)[2] > 60), "X": mask & False}
    data_set = build_segmentation(
        headers, masks, ROIS, provenance, algorithm=Algorithm("unet", "1"), label="AUTO"
    )
    path = folder / "segmentation.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.peer("dciodvfy")
@pytest.mark.parametrize("series", ["ct_headers", "cine_headers"])
def test_dciodvfy_finds_no_error_that_the_source_did_not_bring(
    series: str, request: pytest.FixtureRequest, provenance: Provenance, tmp_path: Path
) -> None:
    headers = list(place(request.getfixturevalue(series), RULES_2D).phases[0])
    shared = [replace(one, frame_of_reference_uid="1.2.3") for one in headers]
    path = written(shared, provenance, tmp_path)
    copied = values_of(headers)
    own = {line for line in dciodvfy_errors(path) if not set(VALUE.findall(line)[-1:]) & copied}
    assert own == set()
