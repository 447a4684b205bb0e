"""What came without a release runs where something else says that all of it is here."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from node.ledger.row_states import EndCause, SeriesState
from node.ledger.tables.ends import End, describe_end
from node.ledger.tables.instances import ABORTED
from tests.completion.steps import refusal
from tests.support.completion import Completion, Start

CAME_BACK = "the rest was received over a later association of the same sender"


def cut(completion: Completion, paths: Sequence[Path], end: End, **sender: str) -> None:
    """An association that ends in this way."""
    association = completion.open(**sender)
    completion.receive(association, paths)
    with completion.ledger.writing() as connection:
        describe_end(connection, association, end)
    completion.series_completion.association_ended(association, end.outcome)


@pytest.mark.parametrize(
    "cause",
    [
        EndCause.ABORT,
        EndCause.LOST,
        EndCause.KILLED,
        EndCause.STORAGE,
        EndCause.BOUND,
        EndCause.STOP,
    ],
)
def test_a_sender_that_comes_back_with_the_rest_completes_the_series(
    completion: Completion, ct_paths: list[Path], cause: EndCause
) -> None:
    cut(completion, ct_paths[:6], End(cause, partial="half a data set (9 bytes)"))
    completion.clock.now += 60
    completion.send(ct_paths[6:])
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.PROCESSING
    [job] = completion.jobs(ct_paths)
    assert len(job.request.instance_paths) == 10
    assert CAME_BACK in completion.words(ct_paths)


def test_a_sender_that_is_cut_off_twice_and_comes_back_completes_the_series(
    completion: Completion, ct_paths: list[Path]
) -> None:
    for begin, outcome in ((0, ABORTED), (4, ABORTED), (7, "released")):
        completion.send(ct_paths[begin : begin + 4], outcome=outcome)
        completion.clock.now += 20
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.PROCESSING


def test_a_sender_that_repeats_the_last_instance_has_come_back(
    completion: Completion, ct_paths: list[Path]
) -> None:
    """Its answer was lost with the connection."""
    cut(completion, ct_paths, End(EndCause.LOST))
    completion.clock.now += 1
    completion.send(ct_paths[-1:])
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.PROCESSING


def test_one_that_sends_an_older_instance_again_has_not_gone_on(
    completion: Completion, ct_paths: list[Path]
) -> None:
    cut(completion, ct_paths[:7], End(EndCause.ABORT))
    completion.clock.now += 1
    completion.send(ct_paths[2:3])
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.HELD


def test_another_sender_does_not_complete_what_was_cut_off(
    completion: Completion, ct_paths: list[Path]
) -> None:
    cut(completion, ct_paths[:7], End(EndCause.ABORT))
    completion.clock.now += 1
    completion.send(ct_paths[7:], calling="PACS")
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.HELD


def test_an_association_beside_the_one_that_was_cut_off_is_not_its_rest(
    completion: Completion, ct_paths: list[Path]
) -> None:
    """Two at once share a series: the end of one says nothing of the other's."""
    first, second = completion.open(), completion.open()
    completion.receive(second, ct_paths[5:9])
    completion.clock.now += 1
    completion.receive(first, ct_paths[:5])
    completion.series_completion.association_ended(second, "released")
    completion.clock.now += 1
    completion.series_completion.association_ended(first, ABORTED)
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.HELD


def test_a_rest_with_a_gap_is_held_with_its_place(
    completion: Completion, ct_paths: list[Path]
) -> None:
    cut(completion, ct_paths[:5], End(EndCause.LOST, partial="half a data set (9 bytes)"))
    completion.send(ct_paths[6:])
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == SeriesState.HELD
    assert "gap of 6.54 mm" in row.reason


def test_phases_that_are_not_all_here_hold_a_series_without_a_release(
    completion: Completion, cine_folder: Path
) -> None:
    paths = sorted(cine_folder.glob("*.dcm"))
    cut(completion, paths[:-1], End(EndCause.IDLE, quiet_s=60.0))
    completion.settle()
    row = completion.series(paths)
    assert row.state == SeriesState.HELD
    assert "positions have" in row.reason


@pytest.mark.parametrize("cause", [EndCause.IDLE, EndCause.STOP])
def test_what_the_node_ended_after_a_silence_runs(
    completion: Completion, ct_paths: list[Path], cause: EndCause
) -> None:
    cut(completion, ct_paths, End(cause, quiet_s=60.0))
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.PROCESSING
    assert (
        "the node ended the association of TPS@127.0.0.1 to SLICEWIRE after 60 s without "
        "data, with every instance acknowledged"
    ) in completion.words(ct_paths)


ENDS = {
    "a peer that aborts": End(EndCause.ABORT, quiet_s=60.0),
    "a peer that is gone": End(EndCause.LOST, quiet_s=60.0),
    "a node that was killed": End(EndCause.KILLED),
    "a bound": End(EndCause.BOUND, quiet_s=60.0),
    "an idle association with half a message": End(
        EndCause.IDLE, partial="half a command set", quiet_s=60.0
    ),
    "a stop within a message": End(EndCause.STOP, partial="half a command set", quiet_s=60.0),
    "a stop while it was sending": End(EndCause.STOP, quiet_s=1.0),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_nobody_knows_to_be_whole_is_held_with_who_ended_it(
    completion: Completion, ct_paths: list[Path], name: str
) -> None:
    cut(completion, ct_paths, ENDS[name])
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == SeriesState.HELD
    words = "10 of 10 instances were received only over an aborted association (by the "
    assert row.reason.startswith(words + ENDS[name].by.removeprefix("the "))


def test_a_refusal_holds_a_series_however_its_association_ended(
    completion: Completion, ct_paths: list[Path]
) -> None:
    association = completion.open()
    completion.receive(association, ct_paths[:9])
    with completion.ledger.writing() as connection:
        describe_end(connection, association, End(EndCause.IDLE, quiet_s=60.0))
    completion.series_completion.association_ended(association, ABORTED, [refusal(ct_paths[9])])
    completion.settle()
    assert "were refused" in completion.series(ct_paths).reason


def test_the_silence_is_that_of_the_sender(start: Start, ct_paths: list[Path]) -> None:
    slow = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 9, "settle_s": 90}
    completion = start(peers=[slow])
    cut(completion, ct_paths, End(EndCause.IDLE, quiet_s=60.0))
    completion.settle(90)
    assert completion.series(ct_paths).state == SeriesState.HELD
