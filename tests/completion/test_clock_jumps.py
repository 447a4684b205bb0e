"""A clock that is set neither ends a wait early nor makes it last for days."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from core.config.routing import Peer
from core.config.sections import Delivery
from core.errors import StorageUnavailableError
from node.clock import ClockWatch, NodeClock, shorten_waits
from node.ledger.row_states import NoticeKind, SeriesState
from node.ledger.schema import commitments, notices
from node.ledger.tables.commitments import request_commitment
from node.ledger.tables.notices import queue_notice
from tests.support.completion import Completion

DAY_S = 86_400.0


@dataclass
class Clocks:
    """The machine's clock, which is set, and one that cannot be; the node's goes by both."""

    completion: Completion
    wall: float = 1_000_000.0
    steady: float = 50.0

    def __post_init__(self) -> None:
        self.node = NodeClock(lambda: self.wall, lambda: self.steady)
        self.completion.ledger.clock = self.node
        self.watch = ClockWatch(self.completion.ledger, self.node)

    def settle(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds
        self.completion.settle(0)


@pytest.fixture
def clocks(completion: Completion) -> Clocks:
    return Clocks(completion)


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
@pytest.mark.parametrize("looked_first", [True, False])
def test_a_series_settles_as_long_as_it_should_when_the_clock_is_set(
    clocks: Clocks, ct_paths: list[Path], jump_s: float, looked_first: bool
) -> None:
    clocks.completion.send(ct_paths)
    clocks.wall += jump_s
    if not looked_first:  # completion is as often first as the watch
        clocks.settle(0)
    assert clocks.watch.look() == pytest.approx(jump_s)
    assert clocks.node() == pytest.approx(clocks.wall)
    clocks.settle(4.9)
    assert clocks.completion.series(ct_paths).state == SeriesState.SETTLING
    clocks.settle(0.2)
    assert clocks.completion.series(ct_paths).state == SeriesState.PROCESSING


def test_a_clock_that_is_slewed_changes_no_wait(clocks: Clocks, ct_paths: list[Path]) -> None:
    clocks.completion.send(ct_paths)
    before = clocks.completion.series(ct_paths).ready_at
    clocks.wall += 0.5
    assert clocks.watch.look() == 0.0
    assert clocks.completion.series(ct_paths).ready_at == before


def test_a_jump_that_the_ledger_cannot_take_is_taken_over_at_the_next_look(
    clocks: Clocks, ct_paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.completion.send(ct_paths)
    clocks.wall -= DAY_S

    def fail() -> None:
        raise StorageUnavailableError("The ledger failed: disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(clocks.completion.ledger, "writing", fail)
        with pytest.raises(StorageUnavailableError):
            clocks.watch.look()
    assert clocks.watch.look() == pytest.approx(-DAY_S)
    clocks.settle(5.1)
    assert clocks.completion.series(ct_paths).state == SeriesState.PROCESSING


def test_what_was_written_under_a_clock_ahead_of_time_is_pulled_back_at_the_start(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.clock.now += 10 * DAY_S
    completion.send(ct_paths)
    completion.clock.now -= 10 * DAY_S
    with completion.ledger.writing() as connection:
        assert shorten_waits(connection, completion.configuration, completion.clock.now) == 1
    completion.settle(120)
    assert completion.series(ct_paths).state == SeriesState.PROCESSING


def test_each_queue_is_pulled_back_to_its_own_longest_pause(completion: Completion) -> None:
    now = completion.clock.now
    delivery = Delivery(longest_retry_s=100.0)
    configuration = completion.configuration.model_copy(update={"delivery": delivery})
    with completion.ledger.writing() as connection:
        queue_notice(connection, NoticeKind.COMPLETED, now=now + DAY_S)
        request_commitment(connection, "tps", "1.2.3", references={}, now=now + DAY_S)
        assert shorten_waits(connection, configuration, now) == 4
        waits = [
            connection.scalar(select(table.c.next_attempt_at)) for table in (notices, commitments)
        ]
    assert waits == [now + 1.2 * 3600 + 60, now + 1.2 * 100 + 60]


def test_what_waits_for_a_peer_is_pulled_back_to_the_longest_pause_of_that_peer(
    completion: Completion,
) -> None:
    now = completion.clock.now
    peer = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}
    own = Peer.model_validate(peer | {"retry": {"longest_s": 50.0}})
    configuration = completion.configuration.model_copy(update={"peers": (own,)})
    with completion.ledger.writing() as connection:
        for name in ("tps", "pacs"):
            request_commitment(connection, name, "1.2.3", references={}, now=now + DAY_S)
        shorten_waits(connection, configuration, now)
        waits = connection.execute(select(commitments.c.peer, commitments.c.next_attempt_at))
        assert dict(tuple(row) for row in waits) == {
            "tps": now + 1.2 * 50 + 60,
            "pacs": now + 1.2 * 3600 + 60,
        }
