"""Prediction on any grid, and refusal of series that a model is not made for."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import ModelError
from imaging.instances.header import Header, read_header
from model.inference.grid import Images, normalise, pad_to_stride, resample, working_size
from model.inference.postprocessing import postprocess
from model.inference.predict import UnetSegmenter

SPACING = (1.3, 0.9)


def _phantom(count: int = 2, shape: tuple[int, int] = (53, 71)) -> Images:
    generator = np.random.default_rng(4)
    row, column = np.mgrid[: shape[0], : shape[1]]
    blob = np.exp(-(((row - 20) / 9) ** 2) - ((column - 44) / 15) ** 2)
    noise = generator.normal(0.0, 0.05, (count, *shape))
    images: Images = (200.0 * (blob + noise) + 7.0).astype(np.float32)
    return images


@pytest.mark.parametrize("shape", [(53, 71), (7, 131), (1, 1), (64, 32)])
def test_masks_have_the_shape_of_the_images(
    small_segmenter: UnetSegmenter, shape: tuple[int, int]
) -> None:
    masks = small_segmenter.predict(_phantom(3, shape), SPACING)
    assert list(masks) == ["Inner", "Outer"]
    for mask in masks.values():
        assert mask.shape == (3, *shape)
        assert mask.dtype == np.bool_


def test_prediction_repeats_exactly(small_segmenter: UnetSegmenter) -> None:
    first, second = (small_segmenter.predict(_phantom(), SPACING) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_an_instance_does_not_depend_on_its_neighbours(small_segmenter: UnetSegmenter) -> None:
    images = _phantom(6)
    together = small_segmenter.predict(images, SPACING)
    alone = small_segmenter.predict(images[5:], SPACING)
    assert any(mask[5].any() and not mask[5].all() for mask in together.values())
    for name, mask in together.items():
        assert np.array_equal(mask[5], alone[name][0])


def test_a_transposed_image_with_transposed_spacing_gives_transposed_probabilities(
    small_segmenter: UnetSegmenter,
) -> None:
    images = _phantom(1, (80, 48))
    upright = small_segmenter.probabilities(images, (1.0, 2.0))
    lying = small_segmenter.probabilities(images.transpose(0, 2, 1).copy(), (2.0, 1.0))
    np.testing.assert_allclose(lying, upright.transpose(0, 1, 3, 2), atol=1e-5)


@pytest.mark.parametrize("axis", [1, 2])
def test_a_flipped_image_gives_flipped_probabilities(
    small_segmenter: UnetSegmenter, axis: int
) -> None:
    images = _phantom(1, (48, 80))
    straight = small_segmenter.probabilities(images, (2.0, 2.0))
    flipped = small_segmenter.probabilities(np.flip(images, axis).copy(), (2.0, 2.0))
    np.testing.assert_allclose(flipped, np.flip(straight, axis + 1), atol=1e-5)


def test_brightness_and_contrast_of_the_scanner_do_not_matter(
    small_segmenter: UnetSegmenter,
) -> None:
    images = _phantom()
    plain = small_segmenter.probabilities(images, SPACING)
    scaled = small_segmenter.probabilities(images * np.float32(17.0) - np.float32(500.0), SPACING)
    np.testing.assert_allclose(scaled, plain, atol=1e-3)


def test_progress_reaches_one(small_segmenter: UnetSegmenter) -> None:
    seen: list[float] = []
    small_segmenter.predict(_phantom(6), SPACING, lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 1


def test_images_that_are_not_numbers_are_refused(small_segmenter: UnetSegmenter) -> None:
    images = _phantom()
    images[1, 3, 4] = np.nan
    with pytest.raises(ModelError, match="finite"):
        small_segmenter.predict(images, SPACING)
    with pytest.raises(ModelError, match="expected"):
        small_segmenter.predict(images[0], SPACING)


def test_no_images_give_no_masks(small_segmenter: UnetSegmenter) -> None:
    masks = small_segmenter.predict(np.zeros((0, 20, 30), np.float32), SPACING)
    assert masks["Inner"].shape == (0, 20, 30)


def test_resampling_there_and_back_keeps_the_place() -> None:
    image = torch.zeros(1, 1, 60, 90)
    image[..., 20:30, 50:70] = 1.0
    size = working_size((60, 90), (0.8, 1.2), 2.0)
    assert size == (24, 54)
    back = resample(resample(image, size), (60, 90))
    for axis, centre in ((2, 24.5), (3, 59.5)):
        profile = back.sum(dim=(0, 1, 5 - axis))
        middle = float((profile * torch.arange(len(profile))).sum() / profile.sum())
        assert abs(middle - centre) < 0.05
    assert float(back.sum()) == pytest.approx(200.0, rel=0.02)


def test_padding_reaches_the_stride_and_adds_only_zeros() -> None:
    padded = pad_to_stride(torch.ones(1, 1, 17, 32), 16)
    assert padded.shape == (1, 1, 32, 32)
    assert float(padded.sum()) == 17 * 32


def test_a_constant_image_is_normalised_to_zero() -> None:
    images = np.stack([np.full((5, 6), 42.0), np.arange(30.0).reshape(5, 6)]).astype(np.float32)
    scaled = normalise(images, (0.0, 100.0))
    assert not scaled[0].any()
    assert scaled[1].min() == 0.0
    assert scaled[1].max() == 1.0


def test_postprocessing_keeps_the_heaviest_part_fills_holes_and_excludes(
    small_segmenter: UnetSegmenter,
) -> None:
    layers = np.zeros((2, 9, 14), np.float32)
    layers[0, 2:7, 2:7] = 0.9
    layers[0, 4, 4] = 0.0
    layers[0, 1:8, 9:13] = 0.55  # larger, but less probable in sum
    layers[1, 1:8, 1:8] = 0.8
    card = small_segmenter.card
    masks = postprocess(layers, card.structures, card.finishing)
    assert int(masks["Inner"].sum()) == 25
    assert int(masks["Outer"].sum()) == 49 - 25


def test_a_series_that_fits_is_accepted(small_segmenter: UnetSegmenter, cine_folder: Path) -> None:
    small_segmenter.check_fits([read_header(path) for path in cine_folder.glob("*.dcm")])


def test_a_ct_is_refused_with_words(small_segmenter: UnetSegmenter, ct_folder: Path) -> None:
    headers = [read_header(path) for path in ct_folder.glob("*.dcm")]
    uid = headers[0].series_instance_uid
    with pytest.raises(ModelError, match=f"Model 'small' expects MR, series {uid} is CT"):
        small_segmenter.check_fits(headers)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pixel_spacing_mm": (1.4, 4.0)}, "0.5 to 3 mm, series .* has 1.4 x 4 mm"),
        ({"pixel_spacing_mm": None}, "0.5 to 3 mm, series .* states none"),
        ({"samples_per_pixel": 3}, "grey images, series .* has 3"),
        ({"modality": ""}, "expects MR, series .* is without modality"),
    ],
)
def test_an_instance_that_does_not_fit_is_refused_with_the_reason(
    small_segmenter: UnetSegmenter, cine_folder: Path, change: dict[str, Any], words: str
) -> None:
    fitting: Header = read_header(next(iter(cine_folder.glob("*.dcm"))))
    with pytest.raises(ModelError, match=words):
        small_segmenter.check_fits([fitting, dataclasses.replace(fitting, **change)])
