"""Readers that round vertices keep thin parts, and close contours correctly."""

import numpy as np
import numpy.typing as npt
import pytest

from imaging.contours.pixel_edges import Polygon
from imaging.contours.tracing import Holes, mask_to_polygons

Mask = npt.NDArray[np.bool_]


def rounded(polygons: list[Polygon], shape: tuple[int, ...]) -> Mask:
    """The pixels that are a vertex once it is rounded."""
    vertices: Mask = np.zeros(shape, dtype=bool)
    for polygon in polygons:
        column, row = np.rint(polygon).astype(int).T
        vertices[row, column] = True
    return vertices


def random_mask(seed: int) -> Mask:
    random = np.random.default_rng(seed)
    coarse = random.random(random.integers(1, 24, size=2)) < random.choice([0.2, 0.5, 0.8])
    mask: Mask = coarse.repeat(1 + seed % 3, axis=1)
    return mask


def test_every_pixel_of_a_run_is_a_vertex_and_no_pixel_of_a_block() -> None:
    mask = np.zeros((12, 12), dtype=bool)
    mask[2, 1:8] = mask[4:9, 10] = mask[5:9, 2:6] = True
    vertices = rounded(mask_to_polygons(mask), mask.shape)
    assert vertices[2, 1:8].all()
    assert vertices[4:9, 10].all()
    assert np.argwhere(vertices[5:9, 2:6]).tolist() == [[0, 0], [0, 3], [3, 0], [3, 3]]


@pytest.mark.parametrize("holes", ["keyhole", "xor"])
def test_every_thin_pixel_is_a_vertex(holes: Holes) -> None:
    for seed in range(60):
        mask = random_mask(seed)
        padded = np.pad(mask, 1)
        flat = mask & ~padded[:-2, 1:-1] & ~padded[2:, 1:-1]
        upright = mask & ~padded[1:-1, :-2] & ~padded[1:-1, 2:]
        vertices = rounded(mask_to_polygons(mask, holes=holes), mask.shape)
        assert not ((flat | upright) & ~vertices).any(), seed
        assert not (vertices & ~mask).any(), seed


def test_extra_points_lie_on_the_outline_in_its_direction() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[1, 1:8] = mask[1:8, 4] = True
    (polygon,) = mask_to_polygons(mask)
    steps = np.roll(polygon, -1, axis=0) - polygon
    assert (np.count_nonzero(steps, axis=1) == 1).all()
    after = np.roll(steps, -1, axis=0)
    straight = (steps * after).sum(axis=1) != 0
    assert straight.sum() == 9
    assert ((steps * after).sum(axis=1)[straight] > 0).all()


def test_the_closing_edge_is_horizontal() -> None:
    for seed in range(60):
        for polygon in mask_to_polygons(random_mask(seed)):
            assert polygon[-1, 1] == polygon[0, 1], seed
            assert polygon[-1, 0] != polygon[0, 0], seed


def test_a_run_with_too_many_points_keeps_its_corners_only() -> None:
    mask = np.zeros((3, 100), dtype=bool)
    mask[1, 5:95] = True
    (polygon,) = mask_to_polygons(mask, most_points=50)
    assert len(polygon) == 4
    (polygon,) = mask_to_polygons(mask, most_points=92)
    assert len(polygon) == 92
