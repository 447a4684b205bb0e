"""A ring is drawn around what it is a ring of, and not around another organ that looks like it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from model.inference.postprocessing import postprocess
from model.inference.predict import UnetSegmenter
from model.inference.structure import Structure
from model.inference.unet_card import Postprocessing

Layer = npt.NDArray[np.float32]
SHAPE = (60, 90)
ROWS, COLUMNS = np.indices(SHAPE)
HERE, THERE = (30, 25), (30, 65)
"""Centres of the right organ, and of another one."""
INNER = Postprocessing(largest_component=True, fill_holes=True)
RING = Postprocessing(largest_component=True, without=("Inner",))


def disc(centre: tuple[int, int], radius: float, inside: float = 0.0) -> npt.NDArray[np.bool_]:
    """A disc, or a ring from `inside` to `radius`."""
    distance = np.hypot(ROWS - centre[0], COLUMNS - centre[1])
    return (distance < radius) & (distance >= inside)


def layer(*parts: tuple[npt.NDArray[np.bool_], float]) -> Layer:
    drawn = np.zeros(SHAPE, np.float32)
    for mask, probability in parts:
        drawn[mask] = probability
    return drawn


def finished(
    layers: Sequence[Layer],
    settings: Sequence[Postprocessing] = (INNER, RING),
    **keys: tuple[int, int],
) -> list[npt.NDArray[np.bool_]]:
    names = ("Inner", "Ring", "Outmost")[: len(layers)]
    structures = [Structure(name, (0, 0, 0), "ORGAN") for name in names]
    masks = postprocess(np.stack(layers), structures, settings, **keys)
    return [masks[name] for name in names]


def test_the_ring_around_the_inner_structure_is_kept_though_another_organ_is_heavier() -> None:
    right, wrong = disc(HERE, 12, 8), disc(THERE, 20, 8)
    inner, ring = finished([layer((disc(HERE, 8), 0.9)), layer((right, 0.6), (wrong, 0.95))])
    assert (inner == disc(HERE, 8)).all()
    assert (ring == right).all()


def test_a_ring_that_is_learned_as_a_disc_overlaps_the_inner_structure() -> None:
    filled = Postprocessing(largest_component=True, fill_holes=True, without=("Inner",))
    layers = [layer((disc(HERE, 8), 0.9)), layer((disc(HERE, 12), 0.6), (disc(THERE, 20), 0.95))]
    _, ring = finished(layers, (INNER, filled))
    assert (ring == disc(HERE, 12, 8)).all()


def test_all_parts_of_a_broken_ring_are_kept() -> None:
    right = disc(HERE, 12, 8) & (abs(ROWS - HERE[0]) > 2)
    _, ring = finished(
        [layer((disc(HERE, 8), 0.9)), layer((right, 0.6), (disc(THERE, 20, 8), 0.9))]
    )
    assert (ring == right).all()


def test_where_no_part_of_the_ring_touches_none_is_drawn() -> None:
    inner, ring = finished([layer((disc(HERE, 8), 0.9)), layer((disc(THERE, 20, 8), 0.95))])
    assert inner.any()
    assert not ring.any()


def test_where_the_inner_structure_is_not_found_the_heaviest_part_is_the_ring() -> None:
    layers = [layer(), layer((disc(HERE, 12, 8), 0.6), (disc(THERE, 20, 8), 0.95))]
    inner, ring = finished(layers)
    assert not inner.any()
    assert (ring == disc(THERE, 20, 8)).all()


def test_the_inner_part_that_a_ring_surrounds_is_kept_though_another_is_heavier() -> None:
    bare = disc(THERE, 10)
    inner, ring = finished(
        [layer((disc(HERE, 8), 0.8), (bare, 0.9)), layer((disc(HERE, 12, 8), 0.7))]
    )
    assert (inner == disc(HERE, 8)).all()
    assert (ring == disc(HERE, 12, 8)).all()


def test_a_speck_in_another_organs_ring_is_not_the_inner_structure() -> None:
    broken = disc(HERE, 12, 8) & (ROWS - HERE[0] < 0)
    inner, ring = finished(
        [
            layer((disc(HERE, 8), 0.9), (disc(THERE, 3), 0.9)),
            layer((broken, 0.6), (disc(THERE, 20, 3), 0.95)),
        ]
    )
    assert (inner == disc(HERE, 8)).all()
    assert (ring == broken).all()


def test_without_any_ring_the_heaviest_inner_part_is_kept() -> None:
    inner, ring = finished([layer((disc(HERE, 8), 0.9), (disc(THERE, 10), 0.9)), layer()])
    assert (inner == disc(THERE, 10)).all()
    assert not ring.any()


@pytest.mark.parametrize(("reach", "is_kept"), [((1, 1), False), ((4, 4), True), ((1, 4), True)])
def test_a_gap_of_a_working_pixel_is_no_gap(reach: tuple[int, int], is_kept: bool) -> None:
    layers = [layer((disc(HERE, 8), 0.9)), layer((disc(HERE, 15, 11), 0.7))]
    _, ring = finished(layers, reach=reach)
    assert ring.any() == is_kept


def test_of_rings_in_rings_each_surrounds_the_next() -> None:
    outmost = Postprocessing(largest_component=True, without=("Ring",))
    right = [disc(HERE, 6), disc(HERE, 10, 6), disc(HERE, 14, 10)]
    wrong = [disc(THERE, 3), disc(THERE, 14, 3), disc(THERE, 20, 14)]
    layers = [
        layer((one, 0.6), (other, 0.95)) for one, other in zip(right[1:], wrong[1:], strict=True)
    ]
    settings = (INNER, RING, outmost)
    masks = finished([layer((right[0], 0.9)), *layers], settings)
    assert all((mask == one).all() for mask, one in zip(masks, right, strict=True))
    outside_in = Postprocessing(largest_component=True, without=("Outmost",))
    turned = (outside_in, Postprocessing(largest_component=True), Postprocessing(without=("Ring",)))
    turned_layers = [layers[1], layer((right[0], 0.9)), layers[0]]
    found = finished(turned_layers, turned)
    assert (found[0] == right[2]).all()
    assert (found[2] == right[1]).all()


def test_the_ring_is_looked_for_within_a_pixel_of_the_networks_grid(
    small_segmenter: UnetSegmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap between inner structure and ring of less than that is one of resampling."""
    layers = np.stack([layer((disc(HERE, 8), 0.9)), layer((disc(HERE, 15, 11), 0.7))])
    monkeypatch.setattr(UnetSegmenter, "probabilities", lambda *_: layers[None])
    image, spacing_mm = np.zeros((1, *SHAPE), np.float32), small_segmenter.card.working_spacing_mm
    assert not small_segmenter.predict(image, (spacing_mm, spacing_mm))["Outer"].any()
    fine = (spacing_mm / 4, spacing_mm / 4)
    assert small_segmenter.predict(image, fine)["Outer"].any()


def test_structures_that_exclude_each_other_are_no_rings() -> None:
    one = Postprocessing(largest_component=True, without=("Ring",))
    both = [layer((disc(HERE, 8), 0.9)), layer((disc(THERE, 8), 0.9))]
    inner, ring = finished(both, (one, RING))
    assert (inner == disc(HERE, 8)).all()
    assert (ring == disc(THERE, 8)).all()


def test_a_structure_of_which_every_part_counts_keeps_them() -> None:
    loose = Postprocessing(largest_component=False, without=("Inner",))
    layers = [layer((disc(HERE, 8), 0.9)), layer((disc(THERE, 8), 0.9))]
    _, ring = finished(layers, (INNER, loose))
    assert (ring == disc(THERE, 8)).all()
