"""States are enumerations in code and plain words in the ledger, the same on every database."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import insert, literal, select

from network.endings import Cause
from node.ledger import row_states
from node.ledger.database import Ledger
from node.ledger.row_states import DeliveryState, EndCause, NoticeState
from node.ledger.schema import notices
from tests.support.databases import open_test_ledger

WORDS = {
    "AssociationOutcome": {"open", "released", "aborted", "rejected"},
    "EndCause": {
        *("release", "half", "abort", "lost", "idle", "bound", "stop", "storage", "killed"),
    },
    "SeriesState": {"arriving", "settling", "held", "kept", "processing", "cancelled"},
    "RequestState": {
        *("waiting", "held", "kept", "submitted", "failed", "cancelled", "superseded"),
    },
    "RequestedJobState": {"waiting", "read", "failed", "cancelled"},
    "JobState": {
        *("queued", "running", "done", "failed", "superseded", "cancelled", "withdrawn"),
    },
    "DeliveryState": {"waiting", "stored", "refused", "given up", "cancelled", "held"},
    "ProofMethod": {"commitment", "query"},
    "ProofState": {
        *("waiting", "asked", "sent again", "confirmed", "missing", "not offered", "given up"),
    },
    "CommitmentState": {"waiting", "checked", "reported", "given up"},
    "NoticeKind": {"completed", "held", "failed", "dead letter"},
    "NoticeState": {"waiting", "sent", "given up"},
}
"""As ledgers have them that are in use."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_test_ledger(tmp_path)
    yield ledger
    ledger.close()


def enumerations() -> dict[str, type[StrEnum]]:
    found = {name: one for name, one in vars(row_states).items() if isinstance(one, type)}
    return {name: one for name, one in found.items() if one is not StrEnum}


def test_the_stored_words_are_those_of_ledgers_in_use() -> None:
    assert {name: set(map(str, one)) for name, one in enumerations().items()} == WORDS


def test_every_cause_of_the_network_can_be_stored() -> None:
    assert {EndCause(one) for one in Cause} == set(EndCause) - {EndCause.KILLED}


def test_a_state_is_stored_as_its_word_and_found_by_either(ledger: Ledger) -> None:
    row = {"body": {"kind": DeliveryState.GIVEN_UP}, "words": "", "attempts": 0}
    times = {"created_at": 1.0, "next_attempt_at": 1.0}
    with ledger.writing() as connection:
        connection.execute(insert(notices).values(**row, **times, state=NoticeState.GIVEN_UP))
        stored = connection.execute(select(notices.c.state, notices.c.body)).one()
        assert (type(stored.state), stored.state) == (str, "given up")
        assert (type(stored.body["kind"]), stored.body["kind"]) == (str, "given up")
        assert NoticeState(stored.state) is NoticeState.GIVEN_UP
        for sought in ("given up", NoticeState.GIVEN_UP):
            for condition in (notices.c.state == sought, notices.c.state.in_([sought, "sent"])):
                assert len(connection.execute(select(notices.c.id).where(condition)).all()) == 1


def test_every_state_is_bound_as_its_word(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        for one in enumerations().values():
            for state in one:
                assert connection.scalar(select(literal(state, notices.c.state.type))) == str(state)
