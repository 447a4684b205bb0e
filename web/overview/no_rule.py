"""Cases that no rule took, with the rule of the configuration that came nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.config.routing import Rule
from node.completion.judgement import NO_RULE
from node.completion.nearest_rule import Values, nearest_rule, values_of
from node.ledger.database import Ledger
from node.ledger.row_states import RequestState
from node.ledger.views.states import CaseState
from web.cases.cases import Case, Cases, Search
from web.cases.views import received_files

_MOST = 20
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Untaken:
    """A case that no rule took."""

    case: Case
    why: str
    """The rule that came nearest and what differs, with values: for pages only."""


class UntakenCases:
    """Finds the cases that no rule took; values of instances are read once."""

    def __init__(self, ledger: Ledger, cases: Cases) -> None:
        self._ledger, self._cases = ledger, cases
        self._values = lru_cache(_KEPT)(values_of)

    def since(self, begin: float, rules: Sequence[Rule]) -> list[Untaken]:
        """Cases received since `begin`, the latest first, at most 20, compared with `rules`."""
        kept = self._cases.latest(Search(state=CaseState.KEPT, since=begin), limit=_MOST)
        return [
            Untaken(case, self._why(case, rules))
            for case in kept
            if case.history.reason.startswith(NO_RULE)
        ]

    def _why(self, case: Case, rules: Sequence[Rule]) -> str:
        if not rules:
            return "the configuration has no rules"
        sender = next(
            one.request.sender
            for one in reversed(case.history.requests)
            if one.request.state == RequestState.KEPT
        )
        paths = list(received_files(self._ledger, case))
        nearest = nearest_rule(rules, sender, paths, self._read)
        if nearest is None or not nearest.differences:
            return "a rule of the present configuration takes it"
        return nearest.words_for_page

    def _read(self, path: Path, keywords: tuple[str, ...]) -> Values:
        return self._values(path, keywords)
