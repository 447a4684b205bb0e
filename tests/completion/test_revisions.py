"""What comes late makes a revision that names what it replaces; a cancelled case stays so."""

from pathlib import Path

from node.commands import ask, carry_out
from node.ledger.requests.jobs import JobRow, fail_job, start_job
from node.ledger.row_states import JobState, SeriesState
from node.ledger.schema import jobs
from tests.completion.steps import RTSTRUCT, finish
from tests.support.completion import Completion, series_uid


def command(completion: Completion, paths: list[Path], verb: str) -> str:
    """What the node answers to a person's command."""
    ask(completion.ledger, verb, series_uid(paths))
    carry_out(completion.ledger)
    return completion.words(paths)[-1]


def test_a_late_instance_makes_a_revision_that_names_its_predecessor(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:9])
    completion.settle()
    [first] = completion.jobs(ct_paths)
    assert first.request.revision == 1
    finish(completion, first)
    completion.send(ct_paths[9:])
    completion.settle()
    second = completion.jobs(ct_paths)[-1]
    assert second.request.revision == 2
    assert second.request.predecessor_job_id == first.job_id
    assert list(second.request.predecessor_uids.values()) == [RTSTRUCT]
    assert f"revision 2, replaces job {first.job_id[:12]}" in completion.words(ct_paths)[-1]


def test_a_revision_of_what_never_finished_is_still_the_first(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:9])
    completion.settle()
    completion.send(ct_paths[9:])
    completion.settle()
    assert completion.jobs(ct_paths)[-1].request.revision == 1


def test_the_same_content_again_is_no_revision(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    finish(completion, completion.jobs(ct_paths)[0])
    completion.send(ct_paths)
    completion.settle()
    [job] = completion.jobs(ct_paths)
    assert job.state == JobState.DONE


def test_results_that_were_removed_are_made_again_under_other_uids(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    [first] = completion.jobs(ct_paths)
    finish(completion, first)
    with completion.ledger.writing() as connection:
        connection.execute(jobs.update().values(removed_at=2.0))
    completion.send(ct_paths)
    completion.settle()
    _, second = completion.jobs(ct_paths)
    assert second.state == JobState.QUEUED
    assert second.request.output_dir.endswith(second.job_id)


def test_a_held_series_can_be_given_up_and_taken_up_again(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths, outcome="aborted")
    completion.settle()
    assert command(completion, ct_paths, "cancel") == "the series is cancelled"
    assert completion.series(ct_paths).state == SeriesState.CANCELLED
    completion.settle(1000)
    assert completion.jobs(ct_paths) == []
    assert command(completion, ct_paths, "retry").endswith("the series is judged again")
    completion.settle(0)
    assert completion.series(ct_paths).state == "held"


def test_a_given_up_series_that_is_sent_again_is_looked_at_again(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths, outcome="aborted")
    completion.settle()
    command(completion, ct_paths, "cancel")
    completion.send(ct_paths)
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.PROCESSING


def test_a_queued_job_can_be_cancelled_and_tried_again(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    assert command(completion, ct_paths, "cancel") == "1 unfinished jobs cancelled"
    assert completion.jobs(ct_paths)[0].state == JobState.CANCELLED
    assert command(completion, ct_paths, "cancel") == (
        "nothing of it waits or runs, nothing to cancel"
    )
    assert command(completion, ct_paths, "retry").startswith("1 failed jobs queued again")
    assert completion.jobs(ct_paths)[0].state == JobState.QUEUED


def fail(completion: Completion, job: JobRow) -> None:
    with completion.ledger.writing() as connection:
        start_job(connection, job.job_id, completion.clock.now)
        fail_job(connection, job.job_id, "no result", completion.clock.now)


def test_a_retry_never_brings_an_older_revision_back(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:9])
    completion.settle()
    fail(completion, completion.jobs(ct_paths)[0])
    completion.clock.now += 60
    completion.send(ct_paths[9:])
    completion.settle()
    finish(completion, completion.jobs(ct_paths)[-1])
    assert command(completion, ct_paths, "retry").startswith("0 failed jobs queued again")
    assert [job.state for job in completion.jobs(ct_paths)] == [JobState.SUPERSEDED, JobState.DONE]


def test_an_old_job_that_is_wanted_again_runs_as_the_revision_that_it_is_now(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    for weights in (b"weights", b"other weights", b"weights"):
        (tmp_path / "model.ckpt").write_bytes(weights)
        completion.send(ct_paths)
        completion.clock.now += 60
        completion.settle()
        if weights == b"other weights":
            finish(completion, completion.jobs(ct_paths)[-1])
    first, second = completion.jobs(ct_paths)
    assert first.state == JobState.QUEUED
    assert (first.request.revision, first.request.predecessor_job_id) == (2, second.job_id)


def test_a_job_that_a_newer_one_replaced_does_not_fail_afterwards(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths[:9])
    completion.settle()
    completion.send(ct_paths[9:])
    completion.settle()
    old = completion.jobs(ct_paths)[0]
    with completion.ledger.writing() as connection:
        assert not fail_job(connection, old.job_id, "too late", completion.clock.now)
    assert completion.jobs(ct_paths)[0].state == JobState.SUPERSEDED
