"""Pauses of jobs while the scheduler is unavailable, or results cannot be written."""

from types import MappingProxyType

from node.ledger.tables.conditions import ENGINE, RESULTS

PAUSES_S = MappingProxyType({ENGINE: (2.0, 30.0), RESULTS: (10.0, 600.0)})
"""First and longest pause in seconds before a job is tried again, by condition."""
LONGEST_PAUSE_S = max(longest_s for _, longest_s in PAUSES_S.values())


def pause_s(condition: str, lasted_s: float) -> float:
    """Return the next pause: half as long as the condition has lasted, within its limits."""
    first_s, longest_s = PAUSES_S[condition]
    return min(max(first_s, lasted_s / 2), longest_s)
