"""A frame of reference for each instance: taken for a volume, or held, as configured."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from tests.support.completion import Start
from tests.support.peers import write_series


def frame_of_its_own(data_set: pydicom.FileDataset, _: int) -> None:
    data_set.FrameOfReferenceUID = generate_uid()


@pytest.mark.parametrize(
    ("pipeline", "geometry", "state"),
    [
        ("blur", {}, "processing"),
        ("blur", {"separate_frames_of_reference": "warn"}, "processing"),
        ("blur", {"separate_frames_of_reference": "hold"}, "held"),
        ("unet", {"separate_frames_of_reference": "hold"}, "processing"),
    ],
)
def test_a_frame_of_reference_for_each_instance_is_blurred_unless_forbidden(
    start: Start,
    ct_paths: list[Path],
    tmp_path: Path,
    pipeline: str,
    geometry: dict[str, str],
    state: str,
) -> None:
    completion = start(pipeline=pipeline, geometry=geometry)
    paths = write_series(ct_paths, tmp_path / "sent", frame_of_its_own)
    completion.send(paths)
    completion.settle()
    row = completion.series(paths)
    assert row.state == state
    assert ("10 frames of reference, expected one" in row.reason) == (state == "held")
