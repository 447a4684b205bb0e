"""When what failed is tried again, and when it is given up."""

import math
import random
from dataclasses import dataclass, replace

from core.config.values import Growth, Positive, Seconds, Section

_JITTER = 0.2
_MOST_POWERS = 1000.0
"""Of two, so that no product is too large for a float."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses between attempts, growing up to a longest one, and an end."""

    first_s: float
    longest_s: float
    give_up_after_h: float
    growth: float = 2.0
    """Factor from one pause to the next, at least 1."""
    fewest_attempts: int = 10
    """Before giving up, so that a node that was off for days gives up nothing at its start."""

    @property
    def longest_wait_s(self) -> float:
        """Seconds that no pause exceeds, chance included."""
        return self.longest_s * (1 + _JITTER)

    def next(self, attempts: int, since: float, now: float) -> float | None:
        """Time of the next attempt, in seconds since 1970; None: give up.

        A fifth of each pause, more or less, is chance: a peer that comes back is not asked by
        everything at once.

        Args:
            attempts: how many failed in a row, the latest included.
            since: when the first of them was due, or what made progress last did.
            now: when the latest failed.
        """
        is_over = now - since >= self.give_up_after_h * 3600
        if is_over and attempts >= self.fewest_attempts:
            return None
        powers = min((attempts - 1) * math.log2(self.growth), _MOST_POWERS)
        pause_s: float = min(self.first_s * 2.0**powers, self.longest_s)
        return now + pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)


class Retry(Section):
    """Values of a peer's own; those that are not given are as in `delivery`."""

    first_s: Seconds | None = None
    growth: Growth | None = None
    longest_s: Seconds | None = None
    give_up_after_h: Positive | None = None

    def over(self, default: RetryPolicy) -> RetryPolicy:
        """The policy `default` with these values in place of its own."""
        return replace(default, **self.model_dump(exclude_none=True))
