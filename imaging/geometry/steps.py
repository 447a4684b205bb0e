"""Distances between neighbouring slices: detection of gaps and of uneven spacing."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_GAP_FACTOR = 1.75
_BLOCK_STEPS = 3
_NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class Step:
    """Distance from slice number `after` (from 1, in the order of position) to the next."""

    after: int
    length_mm: float


@dataclass(frozen=True, slots=True)
class Deviation:
    """Step that differs from the expected length."""

    step: Step
    expected_mm: float
    others: int
    """Number of further steps that deviate."""

    def __str__(self) -> str:
        more = f" (and {self.others} more)" if self.others else ""
        return (
            f"{self.step.length_mm:.4g} mm after slice {self.step.after}, "
            f"expected {self.expected_mm:.4g} mm{more}"
        )

    @property
    def helps(self) -> str:
        """Advice for a gap: which missing slices to send."""
        count = max(1, round(self.step.length_mm / self.expected_mm) - 1)
        what = "the missing slice" if count == 1 else f"the {count} missing slices"
        more = f", and what is missing at {self.others} more places" if self.others else ""
        return f"send {what} between {self.step.after} and {self.step.after + 1}{more}"


def steps_between(positions_mm: list[float]) -> list[Step]:
    """Steps between ascending positions."""
    pairs = enumerate(pairwise(positions_mm), start=1)
    return [Step(after, upper - lower) for after, (lower, upper) in pairs]


def find_gap(steps: list[Step], tolerance: float) -> Deviation | None:
    """Find the first step that suggests a missing slice: about twice the usual one, or longer.

    The usual step is the smaller of the series' median and its neighbours' median. Three long
    steps of one length in a row are a block with wider spacing, not a gap.
    """
    lengths = [step.length_mm for step in steps]
    if len(lengths) < 2:
        return None
    gaps = [
        (step, expected)
        for index, step in enumerate(steps)
        if step.length_mm >= _GAP_FACTOR * (expected := _usual(lengths, index))
        and not _in_block(lengths, index, tolerance)
    ]
    return Deviation(*gaps[0], others=len(gaps) - 1) if gaps else None


def find_irregular(steps: list[Step], tolerance: float) -> Deviation | None:
    """Find the first step that differs from the median by more than the fraction `tolerance`."""
    if not steps:
        return None
    usual = median(step.length_mm for step in steps)
    odd = [step for step in steps if abs(step.length_mm - usual) > tolerance * usual]
    return Deviation(odd[0], usual, others=len(odd) - 1) if odd else None


def _usual(lengths: list[float], index: int) -> float:
    before = lengths[max(0, index - _NEIGHBOURS) : index]
    after = lengths[index + 1 : index + 1 + _NEIGHBOURS]
    return min(median(lengths), median(before + after))


def _in_block(lengths: list[float], index: int, tolerance: float) -> bool:
    length = lengths[index]
    first = last = index
    while first > 0 and abs(lengths[first - 1] - length) <= tolerance * length:
        first -= 1
    while last + 1 < len(lengths) and abs(lengths[last + 1] - length) <= tolerance * length:
        last += 1
    return last - first + 1 >= _BLOCK_STEPS
