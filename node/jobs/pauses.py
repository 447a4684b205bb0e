"""How long a job waits while the scheduler is away, or its results cannot be written."""

from types import MappingProxyType

from node.ledger.tables.conditions import ENGINE, RESULTS

PAUSES_S = MappingProxyType({ENGINE: (2.0, 30.0), RESULTS: (10.0, 600.0)})
"""First and longest pause before a job is tried again, by the condition that lasts."""
LONGEST_PAUSE_S = max(longest_s for _, longest_s in PAUSES_S.values())


def pause_s(condition: str, lasted_s: float) -> float:
    """Half as long as the condition has lasted, within its bounds; such a wait is no attempt."""
    first_s, longest_s = PAUSES_S[condition]
    return min(max(first_s, lasted_s / 2), longest_s)
