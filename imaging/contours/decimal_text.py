"""Fast formatting of many numbers as decimal text, with the same characters as "%.4f"."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ContourError

Characters = npt.NDArray[np.uint8]
"""Characters [number, place]; unused places are 0."""
Counts = npt.NDArray[np.int64]

_ZERO, _POINT, _MINUS = (ord(one) for one in "0.-")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of different lengths, one in each row."""

    characters: Characters
    lengths: Counts
    """Number of characters in each row, zeros not counted."""

    def at(self, rows: Counts) -> "Texts":
        """Texts of the given rows, in that order."""
        return Texts(self.characters[rows], self.lengths[rows])


def as_rows(texts: Sequence[str]) -> Texts:
    """Put ASCII texts into rows."""
    encoded = np.array([text.encode("ascii") for text in texts], dtype=bytes)
    width = max(1, encoded.dtype.itemsize)
    characters = encoded.astype(f"S{width}").view(np.uint8).reshape(len(texts), width)
    return Texts(characters, np.array([len(text) for text in texts]))


def joined(columns: Sequence[Texts], separator: bytes) -> tuple[bytes, Counts]:
    """Join the texts row by row, with a separator after each text.

    Returns:
        The characters, and the length of each row (n,).
    """
    count = len(columns[0].lengths)
    between = np.full((count, 1), ord(separator), dtype=np.uint8)
    characters = [part for column in columns for part in (column.characters, between)]
    lengths = np.sum([column.lengths for column in columns], axis=0) + len(columns)
    return np.concatenate(characters, axis=1).tobytes().translate(None, b"\0"), lengths


def as_decimals(numbers: npt.NDArray[np.float64], decimals: int) -> Texts:
    """Format `numbers` (n,), at least one, with the given decimals; zero has no sign.

    Numbers multiplied by 10**decimals must be below 2**53.

    Raises:
        ContourError: a number is not finite.
    """
    if not np.isfinite(numbers).all():
        raise ContourError("A coordinate of a contour is not a finite number, in mm")
    units = np.rint(numbers * 10.0**decimals).astype(np.int64)
    is_negative = units < 0
    left = np.abs(units)
    if left.max() < 1 << 32:
        left = left.astype(np.uint32)  # dividing these takes half the time
    whole_digits = max(1, len(str(int(left.max()))) - decimals)
    width = 1 + whole_digits + 1 + decimals
    characters = np.zeros((width, len(units)), dtype=np.uint8)
    lengths = is_negative + np.int64(1 + decimals + 1)
    point = 1 + whole_digits
    for place in range(width - 1, 0, -1):
        if place == point:
            characters[place] = _POINT
            continue
        rest = left // 10
        characters[place] = left - rest * 10 + _ZERO
        if place < point - 1:  # no zeros in front
            characters[place] *= left > 0
            lengths += left > 0
        left = rest
    characters[0] = is_negative * np.uint8(_MINUS)
    return Texts(characters.T, lengths)
