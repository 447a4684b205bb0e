"""How long to wait before something is tried again."""

import random

_MOST_DOUBLINGS = 30
_JITTER = 0.2


def pause_s(attempts: int, *, first_s: float, longest_s: float) -> float:
    """Doubling from `first_s` up to `longest_s`, give or take a fifth, after so many attempts.

    The fifth is chance: peers that come back are not asked by everything at once.
    """
    wait_s = min(first_s * 2.0 ** min(attempts, _MOST_DOUBLINGS), longest_s)
    return wait_s * random.uniform(1 - _JITTER, 1 + _JITTER)
