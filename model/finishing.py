"""From probabilities to masks, by the plain settings on a model's card."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from model.checkpoint import Finishing
from model.structure import Structure

Probabilities = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def finish(
    probabilities: Probabilities, structures: Sequence[Structure], finishing: Sequence[Finishing]
) -> dict[str, Mask]:
    """Masks [row, column] by structure name from `probabilities` [structure, row, column]."""
    masks = {
        structure.name: _finish_one(layer, settings)
        for structure, layer, settings in zip(structures, probabilities, finishing, strict=True)
    }
    return {
        structure.name: masks[structure.name] & ~_union(masks, settings.without)
        for structure, settings in zip(structures, finishing, strict=True)
    }


def _finish_one(probability: Probabilities, settings: Finishing) -> Mask:
    mask: Mask = probability >= settings.threshold
    if settings.largest_component:
        mask = _heaviest_component(mask, probability)
    if settings.fill_holes:
        mask = ndimage.binary_fill_holes(mask)
    return mask


def _heaviest_component(mask: Mask, probability: Probabilities) -> Mask:
    """The connected part whose probabilities add up to most."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    weights = ndimage.sum_labels(probability, labels, np.arange(1, count + 1))
    chosen: Mask = labels == 1 + int(np.argmax(weights))
    return chosen


def _union(masks: dict[str, Mask], names: Sequence[str]) -> Mask:
    taken: Mask = np.zeros_like(next(iter(masks.values())))
    for name in names:
        taken |= masks[name]
    return taken
