"""Fast parsing of many decimal numbers from text, with the same results as `float`.

A number of at most 15 digits is a whole number below 2**53 divided by a power of ten below 10**22.
Both are exact in double precision, so the quotient is rounded only once, as `float` does
(Clinger, How to read floating point numbers accurately, PLDI 1990).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]

_SEPARATOR, _POINT, _MINUS = b"\\", b".", b"-"
_PLAIN = b"0123456789.-\\"
_WORD = 8
_MOST_DIGITS = 15
_TEXT_BYTES = 1 << 16
"""Size of text that is parsed together: enough for speed, small enough for the caches."""
_KEPT = np.array([(1 << 64) - (1 << 8 * (_WORD - kept)) for kept in range(_WORD + 1)], np.uint64)
_TENS = 10.0 ** np.arange(_WORD + 1)


def read_numbers(texts: Iterable[bytes]) -> Iterator[Numbers]:
    """Yield the numbers (n,) of each text, separated by backslashes; an empty text has none.

    Raises:
        ValueError: a value is not a number; also 1_0, which `float` would accept.
    """
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _TEXT_BYTES:
            yield from _read_together(waiting)
            waiting, size = [], 0
    if waiting:
        yield from _read_together(waiting)


def plain_numbers(text: bytes) -> Numbers | None:
    """Parse the numbers of `text`; None unless each has only a sign, digits and a point."""
    if text.translate(None, _PLAIN):
        return None
    characters = np.frombuffer(b"0" * _WORD + text + _SEPARATOR, np.uint8)
    marks = np.flatnonzero((characters == _SEPARATOR[0]) | (characters == _POINT[0]))
    is_end = characters[marks] == _SEPARATOR[0]
    end = marks[is_end]
    before = np.concatenate([[_WORD - 1], marks[:-1]])[is_end]
    start = np.concatenate([[_WORD - 1], end[:-1]]) + 1
    has_point = before >= start
    is_negative = characters[start] == _MINUS[0]
    point = np.where(has_point, before, end)
    whole = point - start - is_negative
    decimals = np.where(has_point, end - point - 1, 0)
    is_plain = (
        len(marks) == len(end) + np.count_nonzero(has_point)
        and text.count(_MINUS) == np.count_nonzero(is_negative)
        and _fit(whole, decimals)
    )
    if not is_plain:
        return None
    words = np.ndarray(len(characters) - _WORD + 1, "<u8", characters, strides=(1,))
    digits = _value(words[point - _WORD], whole) * _TENS[decimals]
    digits += _value(words[end - _WORD], decimals)
    digits /= _TENS[decimals]
    return np.negative(digits, out=digits, where=is_negative)


def _read_together(texts: Sequence[bytes]) -> Iterator[Numbers]:
    counts = [text.count(_SEPARATOR) + 1 if text else 0 for text in texts]
    filled = [text for text in texts if text]
    if not filled:
        numbers: Numbers | None = np.empty(0)
    else:
        numbers = plain_numbers(_SEPARATOR.join(filled))
    if numbers is None:
        if any(b"_" in text for text in filled):
            raise ValueError("an underscore is no part of a number")
        numbers = np.array([float(one) for text in filled for one in text.split(_SEPARATOR)])
    # copies, so that one contour does not keep the numbers of all in memory
    yield from (part.copy() for part in np.split(numbers, np.cumsum(counts)[:-1]))


def _fit(whole: _Indices, decimals: _Indices) -> bool:
    """True if each number has digits, and few enough for the words and for exactness."""
    count = whole + decimals
    return bool(
        count.min() > 0
        and count.max() <= _MOST_DIGITS
        and max(whole.max(), decimals.max()) <= _WORD
    )


def _value(words: _Words, count: _Indices) -> Numbers:
    """Number made of the last `count` characters of each word, which are digits.

    Neighbours are combined: digits to pairs, pairs to fours, fours to a number of eight digits.
    """
    words = words & _KEPT[count] & np.uint64(0x0F0F0F0F0F0F0F0F)
    words = (words * np.uint64(2561) >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    words = (words * np.uint64(6553601) >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return (words * np.uint64(42949672960001) >> np.uint64(32)).astype(np.float64)
