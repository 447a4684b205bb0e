"""Postprocessing of probabilities to masks, by the settings on a model card.

A structure `without` another one is a ring around it, and both are decided together: of the inner
structure, the part that is most probable and most surrounded is kept; of the ring, the parts that
touch that part. A more probable part elsewhere is taken for another organ. If no part of a ring
touches, the ring is left empty: a contour round the wrong organ does more harm than a missing one,
which a person notices.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from model.inference.parts import (
    Mask,
    Probabilities,
    Reach,
    heaviest_part,
    most_surrounded_part,
    parts_touching,
)
from model.inference.structure import Structure
from model.inference.unet_card import Postprocessing


def postprocess(
    probabilities: Probabilities,
    structures: Sequence[Structure],
    settings: Sequence[Postprocessing],
    *,
    reach: Reach = (1, 1),
) -> dict[str, Mask]:
    """Masks [row, column] by structure name, from `probabilities` [structure, row, column].

    Args:
        probabilities: of each pixel to belong to each structure, 0 to 1.
        structures: in the order of `probabilities`.
        settings: one for each structure.
        reach: largest distance of a ring from its inner structure, in pixels (rows, columns).
    """
    names = [structure.name for structure in structures]
    by_name = dict(zip(names, settings, strict=True))
    image = _Image(dict(zip(names, probabilities, strict=True)), by_name, reach)
    for name in [*image.rings, *(other for other in names if other not in image.rings)]:
        image.add(name)
    return {
        name: image.masks[name] & ~image.union(image.masks, by_name[name].without) for name in names
    }


def missing_rings(
    masks: Mapping[str, Mask], structures: Sequence[Structure], settings: Sequence[Postprocessing]
) -> list[str]:
    """Warnings about rings that are empty on images where their inner structure is not.

    `masks` are [instance, row, column] by structure name.
    """
    missing: list[str] = []
    for structure, one in zip(structures, settings, strict=True):
        name, inside = structure.name, one.without
        drawn = [masks[inner].any(axis=(1, 2)) for inner in inside]
        count = int((np.any(drawn, axis=0) & ~masks[name].any(axis=(1, 2))).sum()) if drawn else 0
        if count:
            missing.append(
                f"{name}: on {count} of {len(masks[name])} images nothing was found around "
                f"{' or '.join(inside)}, and none is drawn"
            )
    return missing


@dataclass(slots=True)
class _Image:
    """Masks of one image, built structure by structure."""

    layers: Mapping[str, Probabilities]
    settings: Mapping[str, Postprocessing]
    reach: Reach
    rings: Mapping[str, tuple[str, ...]] = field(init=False)
    """Names that each structure surrounds, inner structures first; cycles are left out."""
    masks: dict[str, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rings = _rings(self.settings)

    def add(self, name: str) -> None:
        """Add the mask of the structure `name`; its inner structures must be added before."""
        settings, mask = self.settings[name], self._above(name)
        if settings.largest_component:
            mask = self._part(name, mask)
        self.masks[name] = ndimage.binary_fill_holes(mask) if settings.fill_holes else mask

    def union(self, masks: Mapping[str, Mask], names: Iterable[str]) -> Mask:
        """Union of the `masks` called `names`."""
        taken: Mask = np.zeros_like(next(iter(self.layers.values())), dtype=np.bool_)
        for name in names:
            taken |= masks[name]
        return taken

    def _part(self, name: str, mask: Mask) -> Mask:
        inner = self.union(self.masks, self.rings.get(name, ()))
        if inner.any():
            return parts_touching(mask, inner, self.reach)
        around = {one: self._above(one) for one, of in self.rings.items() if name in of}
        if around:
            ring = self.union(around, around)
            return most_surrounded_part(mask, self.layers[name], ring, self.reach)
        return heaviest_part(mask, self.layers[name])

    def _above(self, name: str) -> Mask:
        above: Mask = self.layers[name] >= self.settings[name].threshold
        return above


def _rings(settings: Mapping[str, Postprocessing]) -> dict[str, tuple[str, ...]]:
    left = {name: one.without for name, one in settings.items()}
    found: dict[str, tuple[str, ...]] = {}
    while ready := [name for name, of in left.items() if not left.keys() & set(of)]:
        found |= {name: left.pop(name) for name in ready}
    return found
