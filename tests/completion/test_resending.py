"""`resend` sends the results of a case again, or says why there is nothing to send."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from node.commands import why_not
from node.delivery.queue_results import queue_results
from node.ledger.row_states import DeliveryState, JobState
from node.ledger.schema import deliveries, jobs
from node.ledger.tables.instances import ABORTED
from node.ledger.views.series_history import history_of
from node.verbs import CANCEL, RESEND, RETRY
from tests.completion.asking import states
from tests.completion.steps import finish
from tests.support.completion import HARD, PACS, TPS, Completion, Start, series_uid


def finish_all(completion: Completion, paths: list[Path]) -> None:
    """Every queued job is done, and its results were sent."""
    for job in completion.jobs(paths):
        if job.state == JobState.QUEUED:
            finish(completion, job)
            with completion.ledger.writing() as connection:
                [done] = [one for one in completion.jobs(paths) if one.job_id == job.job_id]
                queue_results(connection, done, completion.configuration, now=1.0)
    set_deliveries(completion, DeliveryState.STORED)


def set_deliveries(completion: Completion, state: str) -> None:
    with completion.ledger.writing() as connection:
        connection.execute(update(deliveries).values(state=state))


def waiting(completion: Completion) -> list[str]:
    """Jobs of the deliveries that are to be made."""
    query = select(deliveries.c.job_id).where(deliveries.c.state == DeliveryState.WAITING)
    with completion.ledger.reading() as connection:
        return list(connection.scalars(query))


def case_state(completion: Completion, paths: list[Path]) -> str:
    history = history_of(completion.ledger, series_uid(paths))
    assert history is not None
    return history.state


@pytest.fixture
def delivered(start: Start, ct_paths: list[Path]) -> Completion:
    """A case of nine instances whose results the TPS has."""
    completion = start(peers=[TPS, PACS], export_series=False)
    completion.send(ct_paths[:9])
    completion.settle()
    finish_all(completion, ct_paths)
    return completion


@pytest.mark.parametrize("later", ["nothing", "held", "another job failed", "cancelled"])
def test_results_are_sent_again_whatever_else_happened_to_the_case(
    delivered: Completion, ct_paths: list[Path], later: str
) -> None:
    if later == "held":
        delivered.send(ct_paths, outcome=ABORTED)
        delivered.settle()
        assert case_state(delivered, ct_paths) == "held"
    if later in ("another job failed", "cancelled"):
        delivered.send(ct_paths)
        delivered.settle(600)
        state = JobState.FAILED if later == "another job failed" else JobState.CANCELLED
        second = delivered.jobs(ct_paths)[-1].job_id
        with delivered.ledger.writing() as connection:
            own = jobs.c.job_id == second
            connection.execute(update(jobs).where(own).values(state=state))
    answer = delivered.command(RESEND, ct_paths)
    assert not answer.is_refused
    assert answer.words.startswith("1 instances sent again")
    assert waiting(delivered) == [delivered.jobs(ct_paths)[0].job_id]


def test_while_a_revision_waits_the_answer_says_which_results_were_sent(
    delivered: Completion, ct_paths: list[Path]
) -> None:
    delivered.send(ct_paths[9:])
    delivered.settle(600)
    assert [job.state for job in delivered.jobs(ct_paths)] == [JobState.DONE, JobState.QUEUED]
    assert delivered.command(RESEND, ct_paths).words == (
        "1 instances sent again; these are results of revision 1 of unet: revision 2 is queued"
    )
    set_deliveries(delivered, DeliveryState.STORED)
    finish_all(delivered, ct_paths)
    assert delivered.command(RESEND, ct_paths).words == "1 instances sent again"
    assert waiting(delivered) == [delivered.jobs(ct_paths)[1].job_id]


def test_without_results_or_destination_the_answer_says_what_helps(
    start: Start, ct_paths: list[Path]
) -> None:
    completion = start()
    completion.send(ct_paths)
    completion.settle()
    words = "nothing sent: there are no results yet"
    assert completion.command(RESEND, ct_paths).words == words
    assert why_not(completion.ledger, RESEND, series_uid(ct_paths)) == words
    finish_all(completion, ct_paths)
    answer = completion.command(RESEND, ct_paths)
    assert answer.is_refused
    assert answer.words.endswith("have no destination; run the pipeline with one")


def test_results_that_wait_for_review_are_released_not_sent_again(
    delivered: Completion, ct_paths: list[Path]
) -> None:
    set_deliveries(delivered, DeliveryState.HELD)
    answer = delivered.command(RESEND, ct_paths)
    assert answer.is_refused
    assert answer.words.endswith("review the results first; release sends them")


def test_results_that_retention_removed_are_not_sent(
    delivered: Completion, ct_paths: list[Path]
) -> None:
    with delivered.ledger.writing() as connection:
        connection.execute(update(jobs).values(removed_at=1.0))
    answer = delivered.command(RESEND, ct_paths)
    assert answer.is_refused
    assert "1 jobs were removed by retention" in answer.words


@pytest.fixture
def half_held(start: Start, ct_paths: list[Path]) -> tuple[Completion, list[Path]]:
    """A series with a gap: the first of two pipelines of one request runs, the other is held."""
    rules = [HARD | {"also_next": True}, {"pipeline": "blur", "called_ae_title": "HARD"}]
    completion = start(pipeline=None, peers=[TPS], rules=rules, export_series=False)
    (completion.configuration.storage_path.parent / "model.ckpt").unlink()
    completion.send(ct_paths, called="HARD")
    completion.settle()
    (completion.configuration.storage_path.parent / "model.ckpt").write_bytes(b"weights")
    assert states(completion, ct_paths) == ["held"]
    assert [job.request.pipeline for job in completion.jobs(ct_paths)] == ["blur"]
    return completion, ct_paths


def test_a_request_of_two_pipelines_that_is_cancelled_keeps_the_results_of_the_one(
    half_held: tuple[Completion, list[Path]],
) -> None:
    completion, paths = half_held
    finish_all(completion, paths)
    assert not completion.command(CANCEL, paths).is_refused
    assert case_state(completion, paths) == "delivered"
    answer = completion.command(RETRY, paths)
    assert "the series is judged again" in answer.words
    assert {job.request.pipeline for job in completion.jobs(paths)} == {"blur", "unet"}


def test_a_cancelled_request_of_two_pipelines_gets_both_when_it_is_tried_again(
    half_held: tuple[Completion, list[Path]],
) -> None:
    completion, paths = half_held
    completion.command(CANCEL, paths)
    assert case_state(completion, paths) == "cancelled"
    completion.command(RETRY, paths)
    found = {job.request.pipeline: job.state for job in completion.jobs(paths)}
    assert found == {"blur": JobState.QUEUED, "unet": JobState.QUEUED}
    assert states(completion, paths) == ["submitted"]


def test_nothing_to_cancel_is_a_refusal(delivered: Completion, ct_paths: list[Path]) -> None:
    answer = delivered.command(CANCEL, ct_paths)
    assert (answer.is_refused, answer.words) == (
        True,
        "nothing of it waits or runs, nothing to cancel",
    )
