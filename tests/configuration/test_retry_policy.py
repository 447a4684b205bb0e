"""Pauses grow to a longest one, and attempts end once they failed for long enough."""

import pytest

from core.config.retry import Retry, RetryPolicy

HOUR_S = 3600.0
POLICY = RetryPolicy(first_s=10.0, longest_s=300.0, give_up_after_h=2.0)


def pause(policy: RetryPolicy, attempts: int) -> float:
    until = policy.next(attempts, since=1000.0, now=1000.0)
    assert until is not None
    return until - 1000.0


@pytest.mark.parametrize(
    ("growth", "expected"),
    [(2.0, [10, 20, 40, 80, 160, 300, 300]), (1.0, [10] * 7), (3.0, [10, 30, 90, 270, 300, 300])],
)
def test_each_pause_is_growth_times_the_one_before_up_to_the_longest(
    growth: float, expected: list[float]
) -> None:
    policy = RetryPolicy(10.0, 300.0, 2.0, growth)
    for attempts, pause_s in enumerate(expected, start=1):
        assert pause(policy, attempts) == pytest.approx(pause_s, rel=0.2)


def test_a_fifth_of_each_pause_is_chance() -> None:
    pauses = {pause(POLICY, 1) for _ in range(200)}
    assert len(pauses) > 100
    assert min(pauses) >= 8.0
    assert max(pauses) <= 12.0


def test_no_pause_is_longer_than_the_policy_says() -> None:
    assert max(pause(POLICY, 20) for _ in range(200)) <= POLICY.longest_wait_s == 360.0


@pytest.mark.parametrize("growth", [1.0, 1.01, 10.0])
def test_any_number_of_attempts_has_a_pause(growth: float) -> None:
    policy = RetryPolicy(10.0, 300.0, 10_000.0, growth)
    most = 10.0 if growth == 1.0 else 300.0
    assert pause(policy, 10_000_000) == pytest.approx(most, rel=0.2)


def test_a_longest_pause_below_the_first_counts() -> None:
    assert pause(RetryPolicy(30.0, 2.0, 2.0), 1) == pytest.approx(2.0, rel=0.2)


def test_it_is_given_up_after_its_time_and_at_least_ten_attempts() -> None:
    assert POLICY.next(10, since=0.0, now=2 * HOUR_S - 1) is not None
    assert POLICY.next(9, since=0.0, now=100 * HOUR_S) is not None
    assert POLICY.next(10, since=0.0, now=2 * HOUR_S) is None


def test_own_values_replace_those_of_the_default_and_their_bounds_are_checked() -> None:
    assert Retry().over(POLICY) == POLICY
    assert Retry(first_s=20.0, growth=3.0).over(POLICY) == RetryPolicy(20.0, 300.0, 2.0, 3.0)
    with pytest.raises(ValueError, match=r"^longest_s: 5, expected at least first_s, 10 "):
        Retry(longest_s=5.0).over(POLICY)
