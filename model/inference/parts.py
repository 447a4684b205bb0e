"""Selection of connected parts of a mask: by probability, or by a neighbouring structure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Probabilities = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Reach = tuple[int, int]
"""Distance in pixels (rows, columns) up to which two structures count as touching."""


@dataclass(frozen=True, slots=True)
class _Part:
    label: int
    weight: float
    """Sum of the probabilities of its pixels."""
    box: tuple[slice, slice]
    """Bounding box of the part, widened by the reach: rows and columns."""


def heaviest_part(mask: Mask, probability: Probabilities) -> Mask:
    """Connected part of `mask` with the largest sum of probabilities; arrays `[row, column]`."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    return _chosen(labels, max(_parts(labels, probability, (1, 1)), key=lambda part: part.weight))


def most_surrounded_part(
    mask: Mask, probability: Probabilities, ring: Mask, reach: Reach = (1, 1)
) -> Mask:
    """Connected part with the largest sum of probabilities times the share of its edge on `ring`.

    If `ring` touches no part, the one with the largest sum. Arrays `[row, column]`.
    """
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask

    def merit(part: _Part) -> tuple[float, float]:
        filled = ndimage.binary_fill_holes(labels[part.box] == part.label)
        return part.weight * _covered(filled, ring[part.box], reach), part.weight

    return _chosen(labels, max(_parts(labels, probability, reach), key=merit))


def parts_touching(mask: Mask, inner: Mask, reach: Reach = (1, 1)) -> Mask:
    """Connected parts that overlap `inner` or lie within `reach` of it; possibly empty."""
    labels, _ = ndimage.label(mask)
    near = np.unique(labels[_widened(inner, reach)])
    touching: Mask = np.isin(labels, near[near > 0])
    return touching


def _parts(
    labels: npt.NDArray[np.int32], probability: Probabilities, reach: Reach
) -> Iterator[_Part]:
    boxes = ndimage.find_objects(labels)
    weights = ndimage.sum_labels(probability, labels, np.arange(1, len(boxes) + 1))
    for label, (box, weight) in enumerate(zip(boxes, weights, strict=True), start=1):
        rows, columns = (
            slice(max(0, side.start - by), side.stop + by)
            for side, by in zip(box, reach, strict=True)
        )
        yield _Part(label, float(weight), (rows, columns))


def _chosen(labels: npt.NDArray[np.int32], part: _Part) -> Mask:
    chosen: Mask = labels == part.label
    return chosen


def _covered(part: Mask, ring: Mask, reach: Reach) -> float:
    """Share of the pixels within `reach` around `part` that belong to `ring`, 0 to 1."""
    edge = _widened(part, reach) & ~part
    return float((edge & ring).sum()) / max(1.0, float(edge.sum()))


def _widened(mask: Mask, reach: Reach) -> Mask:
    """Dilate `mask` by `reach`, diagonals included."""
    rows, columns = (2 * by + 1 for by in reach)
    widened: Mask = ndimage.maximum_filter(mask, (rows, columns), mode="constant")
    return widened
