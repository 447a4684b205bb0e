"""Writing noisy masks takes time proportional to their points."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from imaging.contours import tracing as contours
from imaging.contours.pixel_edges import corners_of
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.contours.tracing import mask_to_polygons, masks_to_outlines

Mask = npt.NDArray[np.bool_]
MOST_POINTS = 400


def noise(share: float, images: int, size: int) -> Mask:
    return np.random.default_rng(8).random((images, size, size)) < share


@pytest.fixture
def traced_pixels(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pixels of each image or part in which outlines were looked for."""
    seen: list[int] = []

    def counting(mask: Mask) -> Any:
        seen.append(mask.size)
        return corners_of(mask)

    monkeypatch.setattr(contours, "corners_of", counting)
    return seen


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.62, 0.8, 0.98])
def test_noise_comes_back_the_same_in_polygons_of_few_points(share: float) -> None:
    (mask,) = noise(share, 1, 96)
    polygons = mask_to_polygons(mask, most_points=MOST_POINTS)
    assert max(len(polygon) for polygon in polygons) <= MOST_POINTS
    assert np.array_equal(polygons_to_mask(polygons, (96, 96)), mask)


@pytest.mark.parametrize("share", [0.5, 0.62, 0.8, 0.98])
def test_cutting_traces_each_pixel_a_few_times_whatever_the_size(
    share: float, traced_pixels: list[int]
) -> None:
    for size in (64, 256):
        traced_pixels.clear()
        mask_to_polygons(noise(share, 1, size)[0], most_points=MOST_POINTS)
        assert sum(traced_pixels) < 5 * size * size, size


def test_images_are_traced_together(traced_pixels: list[int]) -> None:
    images = noise(0.02, 60, 64)
    batches = list(masks_to_outlines(images))
    assert len(traced_pixels) == 1
    assert sorted(set(batches[0].image.tolist())) == list(range(60))
    for at, image in enumerate(images):
        polygons = [
            one for outlines in batches for one in outlines.select(outlines.image == at).polygons
        ]
        assert np.array_equal(polygons_to_mask(polygons, image.shape), image)
