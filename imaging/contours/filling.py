"""Filling of outlines on one image by the even-odd rule, with remarks on unusual outlines."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from imaging.contours.findings import FindingKind
from imaging.contours.polygon_fill import Mask, Patch

Polygon = npt.NDArray[np.float64]
Remark = tuple[FindingKind, int, str]
"""Kind of finding, index of the polygon, and details."""

_BORDER_PIXELS = 0.51
"""The outermost pixels end half a pixel beyond their centres; the remainder allows rounding."""

_SAME_POINT_PIXELS = 1e-3
"""Points closer than this are the same point, rounded differently."""


def border_excess(pixels: Polygon, shape: tuple[int, int]) -> tuple[FindingKind, Polygon] | None:
    """Measure how far points (n, 2) as (column, row) leave an image of `shape` (rows, columns).

    Returns:
        `CUT` or `OUTSIDE_IMAGE`, and the excess (2,) in columns and rows; None if all are inside.
    """
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    last = np.array([shape[1], shape[0]]) - 1 + _BORDER_PIXELS
    excess = np.maximum(np.maximum(-_BORDER_PIXELS - low, high - last), 0.0)
    if not excess.any():
        return None
    if (high < -_BORDER_PIXELS).any() or (low > last).any():
        return FindingKind.OUTSIDE_IMAGE, excess
    return FindingKind.CUT, excess


def fill_outlines(
    mask: Mask, polygons: Sequence[Polygon], patches: Sequence[Patch], is_xor: Sequence[bool]
) -> list[Remark]:
    """Fill `mask` [row, column] with `polygons` by the even-odd rule; return remarks.

    `patches` has the pixels that each polygon fills on its own, `is_xor` whether it was declared
    CLOSEDPLANAR_XOR. A polygon that repeats the points of an earlier one (from any start, in
    either direction) and is not XOR is ignored, as even-odd would erase both.
    """
    shape = (mask.shape[0], mask.shape[1])
    remarks: list[Remark] = []
    repeated = set()
    for first, second, common in _overlaps(patches, shape):
        if is_xor[first] or is_xor[second] or first in repeated:
            continue
        sizes = [int(patches[at].inside.sum()) for at in (first, second)]
        is_whole = common == sizes[0] == sizes[1]
        if is_whole and _are_equal(polygons[first], polygons[second]):
            repeated.add(second)
            remarks.append((FindingKind.REPEATED, second, f"{common} pixels"))
        elif common < min(sizes):
            remarks.append((FindingKind.OVERLAP, second, f"{common} pixels"))
    for at, patch in enumerate(patches):
        if at not in repeated:
            patch.toggle(mask)
        if not patch.inside.any() and _meets(polygons[at], shape):
            remarks.append((FindingKind.NO_PIXEL, at, ""))
    return remarks


def _are_equal(first: Polygon, second: Polygon) -> bool:
    """True if two closed polygons have the same points, from any start and in either direction.

    Equal pixels would not be enough: two outlines of a wall without a pixel centre fill the same.
    """
    first, second = _without_closing_points(first), _without_closing_points(second)
    if len(first) != len(second):
        return False
    starts = np.flatnonzero(_is_near(second, first[0]).all(axis=1)).tolist()
    return any(
        bool(_is_near(np.roll(second, -at, axis=0), first).all())
        or bool(_is_near(np.roll(second[::-1], at + 1, axis=0), first).all())
        for at in starts
    )


def _without_closing_points(polygon: Polygon) -> Polygon:
    """Remove points at the end that repeat the first point."""
    others = np.flatnonzero(~_is_near(polygon, polygon[0]).all(axis=1))
    return polygon[: others[-1] + 1] if len(others) else polygon[:1]


def _is_near(points: Polygon, others: Polygon) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(points - others) <= _SAME_POINT_PIXELS
    return near


def _meets(polygon: Polygon, shape: tuple[int, int]) -> bool:
    beyond = border_excess(polygon, shape)
    return beyond is None or beyond[0] is not FindingKind.OUTSIDE_IMAGE


def _overlaps(patches: Sequence[Patch], shape: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Pairs of patches with common pixels, in order, and the number of these pixels."""
    crossing = _crossing(patches, shape)
    if len(crossing) < 2:
        return []
    boxes = np.array([_box(patches[at]) for at in crossing])
    order = np.argsort(boxes[:, 0], kind="stable")
    boxes = boxes[order]
    found = []
    for place, (_, bottom, left, right) in enumerate(boxes.tolist()):
        end = int(np.searchsorted(boxes[:, 0], bottom))  # later boxes begin below this one
        later = boxes[place + 1 : end]
        near = np.flatnonzero((later[:, 2] < right) & (later[:, 3] > left)) + place + 1
        for other in near.tolist():
            first, second = sorted((crossing[order[place]], crossing[order[other]]))
            common = _common(patches[first], patches[second], boxes[[place, other]])
            if common:
                found.append((first, second, common))
    return sorted(found)


def _crossing(patches: Sequence[Patch], shape: tuple[int, int]) -> list[int]:
    """Indices of patches that share a pixel with another one: usually few of many."""
    once, twice = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for patch in patches:
        top, bottom, left, right = _box(patch)
        window = once[top:bottom, left:right]
        twice[top:bottom, left:right] |= window & patch.inside
        window |= patch.inside
    return [at for at, patch in enumerate(patches) if _meets_any(patch, twice)]


def _meets_any(patch: Patch, mask: Mask) -> bool:
    top, bottom, left, right = _box(patch)
    return bool((mask[top:bottom, left:right] & patch.inside).any())


def _box(patch: Patch) -> tuple[int, int, int, int]:
    rows, columns = patch.inside.shape
    return patch.row, patch.row + rows, patch.column, patch.column + columns


def _common(first: Patch, second: Patch, boxes: npt.NDArray[np.int64]) -> int:
    top, left = boxes[:, 0].max(), boxes[:, 2].max()
    bottom, right = boxes[:, 1].min(), boxes[:, 3].min()
    parts = [
        patch.inside[
            top - patch.row : bottom - patch.row, left - patch.column : right - patch.column
        ]
        for patch in (first, second)
    ]
    return int((parts[0] & parts[1]).sum())
