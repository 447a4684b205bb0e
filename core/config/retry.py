"""Retry policy: pauses between attempts, and when to give up."""

import math
import random
from dataclasses import dataclass, replace

from core.config.values import Growth, Positive, Seconds, Section

_JITTER = 0.2
_MOST_POWERS = 1000.0
"""Largest exponent of 2, so that no pause overflows a float."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses between attempts, growing up to a longest one, and the time after which to give up."""

    first_s: float
    longest_s: float
    give_up_after_h: float
    growth: float = 2.0
    """Factor from one pause to the next, at least 1."""
    fewest_attempts: int = 10
    """Attempts before giving up, so that a node gives up nothing at its start after days off."""

    @property
    def longest_wait_s(self) -> float:
        """Longest possible pause in seconds, random part included."""
        return self.longest_s * (1 + _JITTER)

    def next(self, attempts: int, since: float, now: float) -> float | None:
        """Return the time of the next attempt in seconds since 1970; None: give up.

        Each pause varies at random by up to 20 %, so that a peer that comes back does not get all
        retries at once.

        Args:
            attempts: number of failures in a row, the latest included.
            since: when the first of them was due, or when progress was last made.
            now: when the latest failed.
        """
        is_over = now - since >= self.give_up_after_h * 3600
        if is_over and attempts >= self.fewest_attempts:
            return None
        powers = min((attempts - 1) * math.log2(self.growth), _MOST_POWERS)
        pause_s: float = min(self.first_s * 2.0**powers, self.longest_s)
        return now + pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)


class Retry(Section):
    """Retry settings of one peer; values that are not given are those of `delivery`."""

    first_s: Seconds | None = None
    growth: Growth | None = None
    longest_s: Seconds | None = None
    give_up_after_h: Positive | None = None

    def over(self, default: RetryPolicy) -> RetryPolicy:
        """Return the policy `default` with these values in place of its own.

        Raises:
            ValueError: its longest pause is shorter than its first one; the message names the keys.
        """
        policy = replace(default, **self.model_dump(exclude_none=True))
        if policy.longest_s < policy.first_s:
            raise ValueError(
                f"longest_s: {policy.longest_s:g}, expected at least first_s, {policy.first_s:g} "
                "(what is not given here is as in delivery)"
            )
        return policy
