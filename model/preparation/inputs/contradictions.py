"""Check that inner contours lie within their outer ones."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import numpy as np
import numpy.typing as npt

from imaging.contours.polygon_fill import Mask
from model.preparation.report.remarks import Kind, Remark

Choice = Literal["exclude", "keep"]
"""Treatment of an outer contour that does not enclose its inner one."""
MOST_OUTSIDE = 0.05
"""Largest share of an inner contour's area outside its outer contour that is accepted."""
_NOTICEABLE_PX = 1.0


def contradiction(key: str, inner: Mask, outer: Mask, choice: Choice) -> Remark | None:
    """Remark if more than `MOST_OUTSIDE` of `inner` lies outside `outer` [row, column], else None.

    The remark's shift is that between the centres of area: a ventricle's wall is about equally
    thick on opposite sides (within 3 pixels in the 27 pairs of the samples that agree).
    """
    outside = float((inner & ~outer).sum() / inner.sum())
    if outside <= MOST_OUTSIDE:
        return None
    columns, rows = centre_of(outer) - centre_of(inner)
    words = (
        f"{outside:.0%} of the i-contour's area lies outside its o-contour, expected at most "
        f"{MOST_OUTSIDE:.0%}; the o-contour is shifted by {np.hypot(columns, rows):.1f} pixels "
        f"({_signed(columns, 1)} columns, {_signed(rows, 1)} rows)"
    )
    excluded = choice == "exclude"
    words += ": left out" if excluded else ": kept"
    return Remark(Kind.CONTRADICTION, key, words, excluded, (float(columns), float(rows)))


def centre_of(mask: Mask) -> npt.NDArray[np.float64]:
    """Centre of area (column, row), in pixels, of a non-empty `mask` [row, column]."""
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean(), rows.mean()])


def shift_in_words(patient: str, remarks: Sequence[Remark]) -> str:
    """Sentence on the shift of a patient's outer contours, or "" if there is none."""
    shifts = [one.shift_px for one in remarks if one.shift_px is not None]
    lengths = sorted(float(np.hypot(*shift)) for shift in shifts)
    if not lengths or lengths[-1] < _NOTICEABLE_PX:
        return ""
    columns, rows = (_signed(median(shift[axis] for shift in shifts)) for axis in (0, 1))
    return (
        f"{patient}: {len(shifts)} o-contours are shifted by {lengths[0]:.0f} to {lengths[-1]:.0f} "
        f"pixels against their i-contours (median {median(lengths):.0f}: {columns} columns, "
        f"{rows} rows)"
    )


def _signed(value: float, digits: int = 0) -> str:
    """Number with its sign, but never minus zero."""
    return f"{round(float(value), digits) + 0.0:+.{digits}f}"
