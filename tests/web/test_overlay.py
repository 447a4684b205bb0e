"""Contours over images are those of the structure set, to the pixel, at pixel edges."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.errors import ContourError
from core.identity import Provenance
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.hdf5.volume_file import write_volume_hdf5
from imaging.instances.header import Header
from imaging.rtstruct.writer import Roi, build_structure_set
from tests.support.dicom.phantom import SHAPE, SPACING_MM, Mask, provenance, write_phantom
from web.cases.overlay import Overlay, read_overlay
from web.cases.slices import VolumeFile, open_volume

__all__ = ["provenance", "write_phantom"]
ROIS = (Roi("Ring", (230, 159, 0), "ORGAN"), Roi("Dots", (0, 114, 178), "ORGAN"))


@pytest.fixture
def headers(write_phantom: Callable[..., list[Header]]) -> list[Header]:
    """Oblique, 0.7 mm wide and 1.3 mm high pixels, uneven gaps."""
    return write_phantom()


@pytest.fixture
def masks() -> dict[str, Mask]:
    """A ring with an island in its hole, and two single pixels, one in the image's corner."""
    ring = np.zeros((4, *SHAPE), dtype=bool)
    ring[1, 3:13, 5:20] = True
    ring[1, 5:11, 7:18] = False
    ring[1, 7:9, 10:15] = True
    dots = np.zeros_like(ring)
    dots[1, 0, 0] = dots[3, 16, 28] = True
    return {"Ring": ring, "Dots": dots}


@pytest.fixture
def volume(headers: list[Header], tmp_path: Path) -> VolumeFile:
    path = tmp_path / "volume.h5"
    write_volume_hdf5(path, np.zeros((4, *SHAPE), np.float32), headers)
    return open_volume(path)


@pytest.fixture
def structure_set(
    headers: list[Header], masks: dict[str, Mask], provenance: Provenance, tmp_path: Path
) -> Path:
    path = tmp_path / "rs.dcm"
    data_set = build_structure_set(headers, masks, ROIS, provenance, label="TEST", description="")
    data_set.save_as(path, enforce_file_format=True)
    return path


def filled(overlay: Overlay, structure: int, index: int) -> Mask:
    """What the lines enclose, by even-odd, from canvas coordinates back to pixel centres."""
    lines = [one for one in overlay.lines(index) if one.structure == structure]
    loops: list[npt.NDArray[np.float64]] = [one.points[:-1] - 0.5 for one in lines]
    assert all((one.points[0] == one.points[-1]).all() for one in lines)
    return polygons_to_mask(loops, SHAPE)


def test_lines_enclose_exactly_the_pixels_that_were_contoured(
    structure_set: Path, volume: VolumeFile, masks: dict[str, Mask]
) -> None:
    overlay = read_overlay([structure_set], volume)
    assert overlay.unplaced == 0
    assert [(one.name, one.images) for one in overlay.structures] == [("Ring", 1), ("Dots", 2)]
    for index in range(4):
        for structure, mask in enumerate(masks.values()):
            assert np.array_equal(filled(overlay, structure, index), mask[index])


def test_coordinates_begin_at_the_outer_corner_of_the_first_pixel(
    structure_set: Path, volume: VolumeFile
) -> None:
    overlay = read_overlay([structure_set], volume)
    [corner] = [line for line in overlay.lines(1) if line.structure == 1]
    assert np.abs(corner.points.min(axis=0)).max() <= 0.02
    assert np.abs(corner.points.max(axis=0) - 1).max() <= 0.02
    assert overlay.box == pytest.approx((0.0, 0.0, SHAPE[1], SHAPE[0]), abs=0.02)


def test_the_bridge_of_a_keyhole_is_not_drawn(structure_set: Path, volume: VolumeFile) -> None:
    overlay = read_overlay([structure_set], volume)
    rings = [line.points for line in overlay.lines(1) if line.structure == 0]
    assert len(rings) == 3  # outside, hole, island
    for points in rings:
        steps = np.diff(points, axis=0)
        assert ((steps != 0).sum(axis=1) <= 1).all() or np.abs(steps).min(axis=1).max() < 0.02


def test_the_area_in_millimetres_is_that_of_the_mask(
    structure_set: Path, volume: VolumeFile, masks: dict[str, Mask]
) -> None:
    overlay = read_overlay([structure_set], volume)
    [points] = [line.points for line in overlay.lines(3)]
    x, y = points[:-1].T * np.array([[SPACING_MM[1]], [SPACING_MM[0]]])
    area_mm2 = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area_mm2 == pytest.approx(np.prod(SPACING_MM), rel=0.03)


def test_contours_of_other_images_are_counted_and_not_drawn(
    structure_set: Path, headers: list[Header], tmp_path: Path
) -> None:
    path = tmp_path / "half.h5"
    write_volume_hdf5(path, np.zeros((2, *SHAPE), np.float32), headers[:2])
    overlay = read_overlay([structure_set], open_volume(path))
    assert overlay.unplaced == 1
    assert set(overlay.contours) == {1}


def test_a_file_that_is_no_structure_set_is_said(headers: list[Header], volume: VolumeFile) -> None:
    with pytest.raises(ContourError, match="not an RT Structure Set"):
        read_overlay([headers[0].path], volume)
