"""From probabilities to masks, by the plain settings on a model's card.

A structure `without` another one is a ring around it, and the two are judged together: of the
inner structure the part is kept that is most probable and most surrounded, and of the ring what
touches that part. A heavier part elsewhere is another organ. Where no part of a ring touches, none
is drawn: a contour round the wrong organ does more harm than one that a person sees to be missing.
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


def finish(
    probabilities: Probabilities,
    structures: Sequence[Structure],
    finishing: Sequence[Postprocessing],
    *,
    reach: Reach = (1, 1),
) -> dict[str, Mask]:
    """Masks [row, column] by structure name from `probabilities` [structure, row, column].

    `reach`, in pixels along rows and columns, is how far a ring may lie from what it surrounds.
    """
    names = [structure.name for structure in structures]
    settings = dict(zip(names, finishing, strict=True))
    image = _Image(dict(zip(names, probabilities, strict=True)), settings, reach)
    for name in [*image.rings, *(other for other in names if other not in image.rings)]:
        image.add(name)
    return {
        name: image.masks[name] & ~image.union(image.masks, settings[name].without)
        for name in names
    }


def rings_not_drawn(
    masks: Mapping[str, Mask], structures: Sequence[Structure], finishing: Sequence[Postprocessing]
) -> list[str]:
    """Rings that are missing where what they surround was drawn, a sentence for each.

    `masks` are [instance, row, column] by structure name.
    """
    missing: list[str] = []
    for structure, settings in zip(structures, finishing, strict=True):
        name, inside = structure.name, settings.without
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
    """The structures of one image on their way to masks."""

    layers: Mapping[str, Probabilities]
    settings: Mapping[str, Postprocessing]
    reach: Reach
    rings: Mapping[str, tuple[str, ...]] = field(init=False)
    """What each structure surrounds, inner ones first; without those that exclude each other."""
    masks: dict[str, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rings = _rings(self.settings)

    def add(self, name: str) -> None:
        """Find the mask of a structure, once what it surrounds is there."""
        settings, mask = self.settings[name], self._above(name)
        if settings.largest_component:
            mask = self._part(name, mask)
        self.masks[name] = ndimage.binary_fill_holes(mask) if settings.fill_holes else mask

    def union(self, masks: Mapping[str, Mask], names: Iterable[str]) -> Mask:
        """All pixels of some of `masks`."""
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
