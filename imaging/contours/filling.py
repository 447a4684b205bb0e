"""Outlines on one instance to its mask, and what even-odd makes of them that was hardly meant."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from imaging.contours.findings import FindingKind
from imaging.contours.polygon_fill import Mask, Patch

Polygon = npt.NDArray[np.float64]
Remark = tuple[FindingKind, int, str]
"""What, of which polygon (its index), and details."""

_BORDER_PIXELS = 0.51
"""The outermost pixels end half a pixel beyond their centres; the rest is rounding."""

_SAME_POINT_PIXELS = 1e-3
"""Rounding of the same point written twice; a wall of a thousandth of a pixel is none."""


def is_beyond(pixels: Polygon, shape: tuple[int, int]) -> tuple[FindingKind, Polygon] | None:
    """Whether points (n, 2) as (column, row) leave the image, and by how many columns and rows."""
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
    """Fill `mask` [row, column] with `polygons` by even-odd, and say what is unusual.

    `patches` are what each of them fills by itself.

    A polygon with the points of one before it (from any start, in either direction), and not
    declared as one of an exclusive or, is filled once: even-odd would erase both.
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
    """Whether two closed polygons have the same points, from any start and in either direction.

    Equal pixels are not enough: those of a ring whose wall holds no pixel centre are equal too.
    """
    first, second = _opened(first), _opened(second)
    if len(first) != len(second):
        return False
    starts = np.flatnonzero(_is_near(second, first[0]).all(axis=1)).tolist()
    return any(
        bool(_is_near(np.roll(second, -at, axis=0), first).all())
        or bool(_is_near(np.roll(second[::-1], at + 1, axis=0), first).all())
        for at in starts
    )


def _opened(polygon: Polygon) -> Polygon:
    """Without the points behind the last one that is not the first again."""
    others = np.flatnonzero(~_is_near(polygon, polygon[0]).all(axis=1))
    return polygon[: others[-1] + 1] if len(others) else polygon[:1]


def _is_near(points: Polygon, others: Polygon) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(points - others) <= _SAME_POINT_PIXELS
    return near


def _meets(polygon: Polygon, shape: tuple[int, int]) -> bool:
    beyond = is_beyond(polygon, shape)
    return beyond is None or beyond[0] is not FindingKind.OUTSIDE_IMAGE


def _overlaps(patches: Sequence[Patch], shape: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Pairs that have pixels in common, in order, and how many."""
    crossing = _crossing(patches, shape)
    if len(crossing) < 2:
        return []
    boxes = np.array([_box(patches[at]) for at in crossing])
    order = np.argsort(boxes[:, 0], kind="stable")
    boxes = boxes[order]
    found = []
    for place, (_, bottom, left, right) in enumerate(boxes.tolist()):
        end = int(np.searchsorted(boxes[:, 0], bottom))  # those from there on begin below
        later = boxes[place + 1 : end]
        near = np.flatnonzero((later[:, 2] < right) & (later[:, 3] > left)) + place + 1
        for other in near.tolist():
            first, second = sorted((crossing[order[place]], crossing[order[other]]))
            common = _common(patches[first], patches[second], boxes[[place, other]])
            if common:
                found.append((first, second, common))
    return sorted(found)


def _crossing(patches: Sequence[Patch], shape: tuple[int, int]) -> list[int]:
    """Those with a pixel that another one fills too: few, of the thousands that noise has."""
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
