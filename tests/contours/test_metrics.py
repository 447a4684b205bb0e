"""Figures of agreement have the values that a hand calculation gives."""

import numpy as np
import pytest

from imaging.metrics import dice, hausdorff_95_mm, volume_ml

SPACING_MM = (3.0, 2.0, 0.5)


def block(first: int, last: int) -> np.ndarray:
    mask = np.zeros((8, 10, 12), dtype=bool)
    mask[2:5, 3:7, first:last] = True
    return mask


def test_dice_of_half_overlapping_blocks_is_one_half() -> None:
    assert dice(block(2, 6), block(4, 8)) == 0.5


def test_dice_of_disjoint_masks_is_zero_and_of_two_empty_ones_is_one() -> None:
    empty = np.zeros((8, 10, 12), dtype=bool)
    assert dice(block(0, 4), block(6, 9)) == 0.0
    assert dice(block(0, 4), empty) == 0.0
    assert dice(empty, empty) == 1.0


def test_distance_of_a_shifted_mask_is_its_shift_in_mm() -> None:
    single = np.zeros((8, 10, 12), dtype=bool)
    single[2, 3, 4] = True
    for axis, spacing in enumerate(SPACING_MM):
        shifted = np.roll(single, 2, axis=axis)
        assert hausdorff_95_mm(single, shifted, SPACING_MM) == pytest.approx(2 * spacing)


def test_distance_leaves_out_the_farthest_twentieth() -> None:
    line = np.zeros((1, 101), dtype=bool)
    line[0, :100] = True
    outlier = line.copy()
    outlier[0, 100] = True
    assert hausdorff_95_mm(line, outlier, (1.0, 1.0)) == 0.0
    assert hausdorff_95_mm(line, line, (1.0, 1.0)) == 0.0


def test_distance_is_symmetric_and_works_in_two_dimensions() -> None:
    small, large = block(4, 6)[3], block(2, 10)[3]
    forth = hausdorff_95_mm(small, large, (2.0, 0.5))
    assert forth == hausdorff_95_mm(large, small, (2.0, 0.5)) == 2.0


def test_distance_to_an_empty_mask_is_infinite() -> None:
    empty = np.zeros((8, 10, 12), dtype=bool)
    assert hausdorff_95_mm(block(2, 6), empty, SPACING_MM) == float("inf")
    assert hausdorff_95_mm(empty, empty, SPACING_MM) == 0.0


def test_volume_is_voxels_times_their_size() -> None:
    assert volume_ml(block(2, 6), SPACING_MM) == pytest.approx(3 * 4 * 4 * 3.0 / 1000)
