"""The page Today: cases received, running, waiting for a person, failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from core.config.routing import Rule
from node.ledger.database import Ledger
from node.ledger.tables.conditions import Condition, all_conditions
from node.ledger.tables.pauses import Pause, all_pauses
from node.ledger.views.states import ON_THE_WAY, CaseState
from web.cases.cases import Case, Cases, Search
from web.overview.no_rule import Untaken, UntakenCases
from web.overview.rejections import Rejected, rejections
from web.words import clock_minute, midnight

_MOST = 50
_AT_NIGHT_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Today:
    """Cases by what they need; apart from `came`, each case is in one list at most."""

    held: list[Case]
    failed: list[Case]
    on_the_way: list[Case]
    came: list[Case]
    untaken: list[Untaken]
    """Cases among `came` that no rule took."""
    rejected: list[Rejected]
    """Senders whose latest association was rejected."""
    since: str
    """Period of `came` in words: `today`, or in the first hours of a day `since 18:05`."""
    conditions: list[Condition]
    """Conditions that hinder the node at present."""
    pauses: list[Pause]
    """Paused pipelines and peers."""

    @property
    def over(self) -> list[Case]:
        """Cases in `came` that are in no other list: nothing is left to be done."""
        others = (*self.held, *self.failed, *self.on_the_way, *(one.case for one in self.untaken))
        listed = {case.number for case in others}
        return [case for case in self.came if case.number not in listed]

    @property
    def delivered(self) -> int:
        """Number of cases in `came` that are done or delivered."""
        return sum(case.tone == "done" for case in self.came)


def today(ledger: Ledger, cases: Cases, untaken: UntakenCases, rules: Sequence[Rule] = ()) -> Today:
    """Read the page's cases, rejections and conditions from the ledger."""
    now = ledger.clock()
    with ledger.reading() as connection:
        conditions, rejected = all_conditions(connection), rejections(connection, now)
        pauses = all_pauses(connection)
    begin, since = _begin(now)
    return Today(
        held=_in_state(cases, CaseState.HELD),
        failed=_in_state(cases, CaseState.FAILED),
        on_the_way=_in_state(cases, *ON_THE_WAY),
        came=cases.latest(Search(since=begin), limit=_MOST),
        untaken=untaken.since(begin, rules),
        rejected=rejected,
        since=since,
        conditions=conditions,
        pauses=pauses,
    )


def _begin(now: float) -> tuple[float, str]:
    """Beginning of the period, and its words; at least six hours, so evenings outlast midnight."""
    begin = min(midnight(now), now - _AT_NIGHT_S)
    return begin, "today" if begin == midnight(now) else f"since {clock_minute(begin)}"


def _in_state(cases: Cases, *states: str) -> list[Case]:
    found = (cases.latest(Search(state=state), limit=_MOST) for state in states)
    return list(chain.from_iterable(found))
