"""A clock that is set neither ends a wait early nor makes it last for days."""

from pathlib import Path

import pytest

from node.clock import ClockWatch, pull_back
from node.ledger.series import PROCESSING, SETTLING
from tests.completion.conftest import Completion

DAY_S = 86_400.0


class Steady:
    """A clock that cannot be set."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
def test_a_series_settles_as_long_as_it_should_when_the_clock_is_set(
    completion: Completion, ct_paths: list[Path], jump_s: float
) -> None:
    steady = Steady()
    watch = ClockWatch(completion.ledger, steady)
    completion.send(ct_paths)
    completion.clock.now += jump_s
    assert watch.look() == pytest.approx(jump_s)
    completion.settle(4.9)
    assert completion.series(ct_paths).state == SETTLING
    completion.settle(0.2)
    assert completion.series(ct_paths).state == PROCESSING


def test_a_clock_that_goes_as_it_should_changes_nothing(
    completion: Completion, ct_paths: list[Path]
) -> None:
    steady = Steady()
    watch = ClockWatch(completion.ledger, steady)
    completion.send(ct_paths)
    before = completion.series(ct_paths).ready_at
    completion.clock.now += 3600.5
    steady.now += 3600.0
    assert watch.look() == 0.0
    assert completion.series(ct_paths).ready_at == before


def test_what_was_written_under_a_clock_ahead_of_time_is_pulled_back_at_the_start(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.clock.now += 10 * DAY_S
    completion.send(ct_paths)
    completion.clock.now -= 10 * DAY_S
    with completion.ledger.writing() as connection:
        assert pull_back(connection, completion.configuration, completion.clock.now) == 1
    completion.settle(120)
    assert completion.series(ct_paths).state == PROCESSING
