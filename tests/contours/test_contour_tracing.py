"""Masks traced to polygons and filled again are the same masks."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.errors import ContourError
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.contours.tracing import Holes, mask_to_polygons

Mask = npt.NDArray[np.bool_]
MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))
HOLES = st.sampled_from(["keyhole", "xor"])


def winding(
    polygons: list[npt.NDArray[np.float64]], shape: tuple[int, int]
) -> npt.NDArray[np.int64]:
    """How often the polygons go around each pixel centre: another rule than the code's own."""
    rows, columns = np.indices(shape)
    turns = np.zeros(shape, dtype=np.int64)
    for polygon in polygons:
        for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            side = (x1 - x0) * (rows - y0) - (columns - x0) * (y1 - y0)
            turns += ((y0 <= rows) & (rows < y1) & (side < 0)).astype(np.int64)
            turns -= (y1 <= rows) & (rows < y0) & (side > 0)
    return turns


@given(MASKS, HOLES)
@settings(max_examples=300, deadline=None)
def test_any_mask_comes_back_the_same(mask: Mask, holes: Holes) -> None:
    assert np.array_equal(polygons_to_mask(mask_to_polygons(mask, holes=holes), mask.shape), mask)


@given(MASKS)
@settings(max_examples=200, deadline=None)
def test_keyholed_polygons_wind_once_around_each_pixel_and_never_overlap(mask: Mask) -> None:
    turns = winding(mask_to_polygons(mask), mask.shape)
    assert np.array_equal(np.abs(turns), mask.astype(np.int64))
    assert len(np.unique(turns[mask])) <= 1


@given(MASKS)
@settings(max_examples=200, deadline=None)
def test_uniting_keyholed_polygons_gives_the_mask(mask: Mask) -> None:
    united = np.zeros_like(mask)
    for polygon in mask_to_polygons(mask):
        united |= polygons_to_mask([polygon], mask.shape)
    assert np.array_equal(united, mask)


@given(MASKS, HOLES, st.integers(4, 12))
@settings(max_examples=200, deadline=None)
def test_polygons_cut_to_a_number_of_points_still_give_the_mask(
    mask: Mask, holes: Holes, most_points: int
) -> None:
    polygons = mask_to_polygons(mask, holes=holes, most_points=most_points)
    assert all(4 <= len(polygon) <= most_points for polygon in polygons)
    assert np.array_equal(polygons_to_mask(polygons, mask.shape), mask)


@given(MASKS)
@settings(max_examples=100, deadline=None)
def test_a_polygon_encloses_the_area_of_its_pixels_less_the_inset(mask: Mask) -> None:
    area = 0.0
    for polygon in mask_to_polygons(mask):
        x, y = polygon.T
        area += 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    assert 0.98 * mask.sum() - 1e-9 <= area <= mask.sum()


def test_single_pixel_is_a_square_around_its_centre() -> None:
    mask = np.zeros((5, 9), dtype=bool)
    mask[1, 6] = True
    (polygon,) = mask_to_polygons(mask)
    expected = [(6.495, 0.505), (6.495, 1.495), (5.505, 1.495), (5.505, 0.505)]
    assert np.allclose(polygon, expected)


def test_pixels_that_touch_at_a_corner_are_two_polygons_that_do_not_touch() -> None:
    first, second = mask_to_polygons(np.eye(2, dtype=bool))
    assert first.max() < second.min()


def test_ring_is_one_keyholed_polygon_or_two_that_exclude_each_other() -> None:
    mask = np.ones((5, 6), dtype=bool)
    mask[2, 2:4] = False
    assert [len(polygon) for polygon in mask_to_polygons(mask)] == [12]
    assert [len(polygon) for polygon in mask_to_polygons(mask, holes="xor")] == [4, 4]


def test_empty_mask_has_no_polygons() -> None:
    assert mask_to_polygons(np.zeros((4, 7), dtype=bool)) == []
    assert not polygons_to_mask([], (4, 7)).any()


def test_what_lies_outside_the_image_is_cut_off() -> None:
    polygon = np.array([(-3.0, -4.0), (2.4, -4.0), (2.4, 1.5), (-3.0, 1.5)])
    mask = polygons_to_mask([polygon], (3, 5))
    expected = np.zeros((3, 5), dtype=bool)
    expected[:2, :3] = True
    assert np.array_equal(mask, expected)
    assert not polygons_to_mask([polygon + 100], (3, 5)).any()


def test_repeating_the_first_point_changes_nothing() -> None:
    triangle = np.array([(0.2, 0.1), (5.7, 2.3), (1.1, 6.8)])
    closed = np.vstack([triangle, triangle[:1]])
    assert np.array_equal(polygons_to_mask([triangle], (8, 9)), polygons_to_mask([closed], (8, 9)))


def test_polygons_side_by_side_share_no_pixel_and_leave_none_out() -> None:
    left = np.array([(0.0, 0.0), (3.0, 0.0), (3.0, 4.0), (0.0, 4.0)])
    right = left + np.array([3.0, 0.0])
    both = [polygons_to_mask([polygon], (4, 6)) for polygon in (left, right)]
    assert np.array_equal(both[0].astype(int) + both[1], np.ones((4, 6)))


def test_coordinate_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ContourError, match="finite"):
        polygons_to_mask([np.array([(0.0, 0.0), (1.0, np.nan), (2.0, 2.0)])], (3, 3))
