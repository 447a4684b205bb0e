"""A job takes the threads that its worker was given."""

import os

import pytest

from pipeline.task import threads_of_worker


def test_a_worker_takes_what_the_node_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_of_worker() == 3


@pytest.mark.parametrize("given", ["", "0", "4,2", "many"])
def test_without_a_plain_number_it_takes_all_cores(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert threads_of_worker() == os.cpu_count()
