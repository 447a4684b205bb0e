"""Every kind of event has words for people, in a case's history and in the documentation."""

import re
from pathlib import Path

import pytest
from sqlalchemy import String

from node import commands, verbs
from node.ledger.event_kinds import PERSON, EventKind, asked_by_person
from node.ledger.row_states import ProofState
from node.ledger.schema import events
from web.cases.timeline import heading_of

PAGES = (Path(__file__).parents[2] / "docs" / "pages.md").read_text()


def documented() -> list[str]:
    table = PAGES.partition("## Kinds of events")[2].partition("\n## ")[0]
    return re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)))


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_has_a_heading(kind: EventKind) -> None:
    heading, tone = heading_of(kind)
    is_asked = kind.startswith(PERSON)
    assert heading != kind[:1].upper() + kind[1:] or heading == "Delivered"
    assert tone in ({"person"} if is_asked else {"waiting", "quiet", "running", "held", "done"}
                    | {"failed", "person"})  # fmt: skip


def test_no_two_kinds_have_the_same_heading() -> None:
    assert len({heading_of(kind)[0] for kind in EventKind}) == len(EventKind)


def test_the_documentation_lists_every_kind_once() -> None:
    assert sorted(documented()) == sorted(map(str, EventKind))


def test_a_kind_of_an_earlier_version_is_its_own_heading() -> None:
    assert heading_of("interrupted") == ("Interrupted", "quiet")


def test_every_verb_of_a_person_and_every_end_of_a_proof_is_a_kind() -> None:
    for verb in (*verbs.VERBS, commands.ECHO):
        assert asked_by_person(verb) in EventKind
    for state in set(ProofState) - {ProofState.WAITING, ProofState.ASKED}:
        assert EventKind(f"proof {state}") in EventKind


def test_every_kind_fits_its_column() -> None:
    column = events.c.kind.type
    assert isinstance(column, String)
    assert column.length is not None
    assert max(map(len, EventKind)) <= column.length
