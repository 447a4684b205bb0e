"""However many instances of an association are refused: ledger, log and memory stay small."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import func, select

from node.completion.refused import record_refusals
from node.ledger.database import Ledger
from node.ledger.schema import events
from node.ledger.schema_contents import refusals
from node.ledger.tables.refusals import refused_words
from node.scp.refusals import MOST_KEPT, MOST_OF_UNKNOWN_SERIES, Refusal, Refusals
from tests.support.databases import open_test_ledger
from tests.support.node_process import wait_until
from tests.support.peers import associate, store
from tests.support.receiver import Receiver

WORDS = "0xC000, Rows is missing"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_test_ledger(tmp_path)
    yield opened
    opened.close()


def noted(count: int, series: str = "1.2.{}", words: str = WORDS) -> Refusals:
    """Refusals of `count` instances; a number takes the place of {}."""
    kept = Refusals()
    for number in range(count):
        kept.note(Refusal(f"1.3.{number}", series.format(number), words.format(number)))
    return kept


@pytest.mark.parametrize("series", ["1.2", "1.2.{}", ""])
def test_what_is_kept_of_refusals_does_not_grow_and_none_is_uncounted(series: str) -> None:
    kept = noted(20_000, series).all()
    assert len(kept) <= MOST_KEPT + 1001
    assert sum(one.count for one in kept) == 20_000


def test_refusals_of_unknown_series_are_few_as_each_concerns_all_series() -> None:
    assert len(noted(20_000, "").all()) == MOST_OF_UNKNOWN_SERIES + 1


def test_an_instance_that_is_refused_again_is_one() -> None:
    kept = Refusals()
    for words in ("0xA700, Disk full", WORDS):
        kept.note(Refusal("1.3.1", "1.2", words))
    assert kept.all() == [Refusal("1.3.1", "1.2", WORDS)]


def test_instances_without_a_uid_are_counted_one_by_one() -> None:
    kept = Refusals()
    for _ in range(3):
        kept.note(Refusal("", "1.2", WORDS))
    assert kept.all() == [Refusal("", "1.2", WORDS, 3)]


def recorded(ledger: Ledger, kept: Refusals, *brought: str) -> list[str]:
    """Record refusals; returns the words of their events."""
    with ledger.writing() as connection:
        record_refusals(connection, kept.all(), brought, 1.0)
    with ledger.reading() as connection:
        return list(connection.scalars(select(events.c.words).order_by(events.c.id)))


def test_one_fault_of_a_whole_series_is_one_event_with_a_count(ledger: Ledger) -> None:
    words = recorded(ledger, noted(2000, "1.2"))
    assert words == [f"2000 instances, such as 1.3.0: {WORDS}"]
    with ledger.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(refusals)) == 2000
        assert refused_words(connection, "1.2").startswith("2000 instances were refused")


def test_reasons_that_all_differ_are_eleven_events(ledger: Ledger) -> None:
    words = recorded(ledger, noted(200, "1.2", "0xC000, Rows is {}"))
    assert len(words) == 11
    assert words[0] == "instance 1.3.0: 0xC000, Rows is 0"
    assert words[-1] == "for other reasons: 190 instances, such as 1.3.10: 0xC000, Rows is 10"


def test_refusals_without_a_uid_name_none(ledger: Ledger) -> None:
    one, three = Refusals(), Refusals()
    one.note(Refusal("", "1.2", WORDS))
    for _ in range(3):
        three.note(Refusal("", "1.4", WORDS))
    assert recorded(ledger, one) == [f"an instance: {WORDS}"]
    assert recorded(ledger, three)[-1] == f"3 instances: {WORDS}"
    with ledger.reading() as connection:
        assert "such as one whose UID is not known" in refused_words(connection, "1.4")


def test_a_series_of_which_refusals_were_only_counted_stays_incomplete(ledger: Ledger) -> None:
    recorded(ledger, noted(MOST_KEPT + 5, "1.2"))
    with ledger.reading() as connection:
        assert refused_words(connection, "1.2").startswith(f"at least {MOST_KEPT + 1} instances")


def test_refusals_of_an_unknown_series_concern_every_series_that_came(ledger: Ledger) -> None:
    recorded(ledger, noted(3, ""), "1.2", "1.4")
    with ledger.reading() as connection:
        assert all(refused_words(connection, uid).startswith("3 ") for uid in ("1.2", "1.4"))


def test_the_log_has_the_first_hundred_and_then_a_count(receiver: Receiver) -> None:
    with structlog.testing.capture_logs() as logged, associate(receiver.address) as association:
        for number in range(130):
            answer = store(association, b"rubbish", sop_instance_uid=f"1.2.{number}")
            assert answer.Status == 0xC000
            assert answer.ErrorComment
        association.release()
        wait_until(lambda: bool(receiver.ended), 60)
    lines = [one["event"] for one in logged if one["log_level"] == "warning"]
    assert lines == ["instance refused"] * 100 + ["further lines of this kind left out"]
    assert any(one.get("lines") == 30 for one in logged)
    assert sum(one.count for one in receiver.refused) == 130
