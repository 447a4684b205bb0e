"""Any mask on any geometry comes back from a segmentation as it was."""

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.identity import Provenance
from imaging.geometry.plane import corner_shift_mm
from imaging.instances.header import Header, read_header
from imaging.rtstruct.writer import Roi
from imaging.seg.reader import read_segmentation
from imaging.seg.writer import Algorithm, build_segmentation
from tests.support.samples import SAMPLES

ROIS = [Roi("A", (255, 0, 0)), Roi("B", (0, 255, 0), "ORGAN"), Roi("PTV", (0, 0, 255), "PTV")]
PROVENANCE = Provenance("job", "1.2.3.4.", datetime(2026, 3, 9, 14, 5, 6), "any")
Masks = npt.NDArray[np.bool_]


def slices(shape: tuple[int, ...], angle: float, steps_mm: list[float]) -> list[Header]:
    """Of a series turned about the first axis, unevenly spaced."""
    first = read_header(next((SAMPLES / "sts" / "STS_003" / "image").glob("*.dcm")))
    down = (0.0, float(np.cos(angle)), float(np.sin(angle)))
    normal = np.cross((1.0, 0.0, 0.0), down)
    offsets = np.concatenate([[0.0], np.cumsum(steps_mm)])[: shape[0]]
    return [
        replace(
            first,
            sop_instance_uid=f"1.2.840.{number}",
            image_position_mm=(
                float(offset * normal[0]),
                float(offset * normal[1]),
                float(offset * normal[2]),
            ),
            image_orientation=(1.0, 0.0, 0.0, *down),
            pixel_spacing_mm=(1.3, 0.7),
            rows=shape[1],
            columns=shape[2],
        )
        for number, offset in enumerate(offsets)
    ]


# highdicom 0.28.2 packs frames of fewer than 8 pixels wrong; the check before sending sees it
SHAPES = st.tuples(st.integers(1, 4), st.integers(3, 9), st.integers(3, 11), st.just(3))


@given(
    masks=arrays(np.bool_, SHAPES),
    angle=st.floats(0, 6),
    steps_mm=st.lists(st.floats(0.1, 12), min_size=3, max_size=3),
)
@settings(max_examples=15, deadline=None)
def test_any_masks_that_overlap_or_not_come_back_the_same(
    masks: Masks, angle: float, steps_mm: list[float]
) -> None:
    assume(masks.any())
    headers = slices(masks.shape, angle, steps_mm)
    by_name = {roi.name: masks[..., number] for number, roi in enumerate(ROIS)}
    data_set = build_segmentation(
        headers, by_name, ROIS, PROVENANCE, algorithm=Algorithm("any", "1"), label="ANY"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "segmentation.dcm")
        data_set.save_as(path, enforce_file_format=True)
        content = read_segmentation(path)
    found = content.masks(headers)
    assert all(np.array_equal(found[name], mask) for name, mask in by_name.items())
    by_image = {header.image: header for header in headers}
    assert all(corner_shift_mm(one.place, by_image[one.source]) < 1e-6 for one in content.frames)
