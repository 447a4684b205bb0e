"""What a person looks at first: what came, what runs, what waits for a person, what failed."""

from dataclasses import dataclass
from itertools import chain

from node.ledger.database import Ledger
from node.ledger.tables.conditions import Condition, all_conditions
from node.ledger.views.states import ON_THE_WAY, CaseState
from web.cases.cases import Case, Cases, Search
from web.words import clock_minute, midnight

_MOST = 50
_AT_NIGHT_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Today:
    """Cases by what is asked of whom; each at most once but in `came`."""

    held: list[Case]
    failed: list[Case]
    on_the_way: list[Case]
    came: list[Case]
    since: str
    """From when on: `today`, or at night, when today is short, `since 18:05`."""
    conditions: list[Condition]
    """What stands in the node's way."""

    @property
    def delivered(self) -> int:
        """How many of what came need nothing more."""
        return sum(case.tone == "done" for case in self.came)


def today(ledger: Ledger, cases: Cases) -> Today:
    """How it stands now."""
    with ledger.reading() as connection:
        conditions = all_conditions(connection)
    begin, since = _begin(ledger.clock())
    return Today(
        held=_in_state(cases, CaseState.HELD),
        failed=_in_state(cases, CaseState.FAILED),
        on_the_way=_in_state(cases, *ON_THE_WAY),
        came=cases.latest(Search(since=begin), limit=_MOST),
        since=since,
        conditions=conditions,
    )


def _begin(now: float) -> tuple[float, str]:
    """When today begins, and in words: an evening's work is not gone at midnight."""
    begin = min(midnight(now), now - _AT_NIGHT_S)
    return begin, "today" if begin == midnight(now) else f"since {clock_minute(begin)}"


def _in_state(cases: Cases, *states: str) -> list[Case]:
    found = (cases.latest(Search(state=state), limit=_MOST) for state in states)
    return list(chain.from_iterable(found))
