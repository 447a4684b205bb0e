"""A person runs any pipeline on any case, and is told why where that cannot be."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID
from sqlalchemy import update

from core.errors import RequestedJobError
from node.answers import Answer, Asker
from node.commands import answer_to, ask, carry_out
from node.completion.running import run_arguments
from node.ledger.row_states import JobState
from node.ledger.schema import instances
from node.ledger.tables.instances import ABORTED
from node.ledger.views.series_history import history_of
from node.verbs import CANCEL, RELEASE, RETRY, RUN
from tests.completion.asking import goes, states
from tests.completion.steps import finish
from tests.support.completion import PACS, SOFT, TPS, Completion, Start, series_uid


@pytest.fixture
def ruled(start: Start) -> Completion:
    """A rule for another called title only: what is sent is kept."""
    return start(pipeline=None, peers=[TPS, PACS], rules=[SOFT])


def run(completion: Completion, paths: list[Path], pipeline: str, *to: str) -> Answer:
    arguments = run_arguments(completion.configuration, pipeline, to)
    asker = Asker("eve", "192.0.2.9")
    command = ask(completion.ledger, RUN, series_uid(paths), asker, arguments=arguments)
    for _ in range(3):
        carry_out(completion.ledger)
        completion.settle(0)
    answer = answer_to(completion.ledger, command)
    assert answer is not None
    return answer


def state(completion: Completion, paths: list[Path]) -> str:
    history = history_of(completion.ledger, series_uid(paths))
    assert history is not None
    return history.state


def test_a_kept_case_gets_the_job_and_its_sender_the_results(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    ruled.send(ct_paths)
    ruled.settle()
    assert state(ruled, ct_paths) == "kept"
    answer = run(ruled, ct_paths, "unet")
    assert not answer.is_refused
    assert answer.words.startswith("unet is asked for, results to sender; unet, run by eve from")
    assert "10 instances, job" in answer.words
    assert goes(ruled, ct_paths) == [("", "unet", ["tps"])]
    assert state(ruled, ct_paths) == "queued"
    assert any(words.endswith("by eve from 192.0.2.9") for words in ruled.words(ct_paths))


@pytest.mark.parametrize(("to", "peers"), [(["pacs"], ["pacs"]), (["nobody"], [])])
def test_a_person_says_who_gets_the_results(
    ruled: Completion, ct_paths: list[Path], to: list[str], peers: list[str]
) -> None:
    ruled.send(ct_paths)
    ruled.settle()
    answer = run(ruled, ct_paths, "3dblur", *to)
    assert goes(ruled, ct_paths) == [("", "blur", peers)]
    assert ("results stay here" in answer.words) == (not peers)


def test_a_case_with_results_gets_another_pipeline_beside_them(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    ruled.send(ct_paths, called="SOFT")
    ruled.settle()
    finish(ruled, ruled.jobs(ct_paths)[0])
    assert not run(ruled, ct_paths, "unet").is_refused
    assert [job.request.pipeline for job in ruled.jobs(ct_paths)] == ["blur", "unet"]
    assert [job.state for job in ruled.jobs(ct_paths)] == [JobState.DONE, JobState.QUEUED]


def test_what_ran_already_runs_no_second_time_and_the_answer_says_what_helps(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    ruled.send(ct_paths, called="SOFT")
    ruled.settle()
    finish(ruled, ruled.jobs(ct_paths)[0])
    ruled.clock.now += 60
    answer = run(ruled, ct_paths, "blur", "nobody")
    assert len(ruled.jobs(ct_paths)) == 1
    assert "nothing new, job" in answer.words
    assert answer.words.endswith("resend sends results that were delivered once more")


def test_a_cancelled_case_runs(ruled: Completion, ct_paths: list[Path]) -> None:
    ruled.send(ct_paths)
    ruled.command(CANCEL, ct_paths)
    assert state(ruled, ct_paths) == "cancelled"
    assert not run(ruled, ct_paths, "unet").is_refused
    assert state(ruled, ct_paths) == "queued"


def test_a_case_that_still_arrives_runs_when_it_is_complete(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    association = ruled.open()
    ruled.receive(association, ct_paths[:5])
    answer = run(ruled, ct_paths, "unet")
    assert answer.words.endswith("it runs as soon as the series is complete")
    assert ruled.jobs(ct_paths) == []
    ruled.receive(association, ct_paths[5:])
    ruled.series_completion.association_ended(association, "released")
    ruled.settle()
    (job,) = ruled.jobs(ct_paths)
    assert len(job.request.instance_paths) == len(ct_paths)


def test_a_held_series_is_not_run_and_the_answer_says_what_helps(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    ruled.send(ct_paths, outcome=ABORTED)
    ruled.settle()
    answer = run(ruled, ct_paths, "unet")
    assert answer.is_refused
    assert answer.words.startswith("not run, as the series is held (release it, then run): 10 of")
    ruled.command(RELEASE, ct_paths)
    assert not run(ruled, ct_paths, "unet").is_refused


def test_a_pipeline_that_does_not_suit_leaves_the_case_as_it_was(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    with_a_gap = [*ct_paths[:3], *ct_paths[5:7]]
    ruled.send(with_a_gap)
    ruled.settle()
    answer = run(ruled, with_a_gap, "blur")
    assert answer.is_refused
    assert "; not run: Series" in answer.words
    ruled.settle(0)
    assert state(ruled, with_a_gap) == "kept"
    assert ruled.series(with_a_gap).holds == {}


def test_a_doubt_about_a_pipeline_holds_it_until_a_person_releases_it(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    with_a_gap = [*ct_paths[:3], *ct_paths[5:7]]
    ruled.send(with_a_gap)
    ruled.settle()
    answer = run(ruled, with_a_gap, "unet")
    assert answer.is_refused
    assert "; held, a release lets it run: Series" in answer.words
    assert state(ruled, with_a_gap) == "held"
    ruled.command(RELEASE, with_a_gap)
    assert state(ruled, with_a_gap) == "queued"


def test_a_case_without_images_is_not_run_and_stays_what_it_was(
    ruled: Completion, tmp_path: Path, ct_paths: list[Path]
) -> None:
    plan = pydicom.dcmread(ct_paths[0])
    plan.SOPClassUID = plan.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.481.5")
    del plan.PixelData
    plan.save_as(tmp_path / "plan.dcm")
    paths = [tmp_path / "plan.dcm"]
    ruled.send(paths)
    ruled.settle(60)
    answer = run(ruled, paths, "unet")
    assert answer.is_refused
    assert answer.words.endswith("not run: no images: not processed")
    ruled.settle(0)
    assert state(ruled, paths) == "kept"
    assert states(ruled, paths) == ["kept", "cancelled"]
    ruled.command(RETRY, paths)
    ruled.settle(0)
    assert states(ruled, paths) == ["kept", "cancelled"]


def test_a_case_whose_images_retention_removed_is_not_run(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    ruled.send(ct_paths)
    ruled.settle()
    with ruled.ledger.writing() as connection:
        connection.execute(update(instances).values(removed_at=1.0))
    answer = run(ruled, ct_paths, "unet")
    assert answer.is_refused
    assert answer.words == "not run: 10 instances of the series were removed by retention"
    assert state(ruled, ct_paths) == "kept"


def test_late_instances_make_a_revision_of_what_a_person_ran(
    ruled: Completion, ct_paths: list[Path]
) -> None:
    ruled.send(ct_paths[:8])
    ruled.settle()
    run(ruled, ct_paths, "unet")
    finish(ruled, ruled.jobs(ct_paths)[0])
    ruled.send(ct_paths[8:])
    ruled.settle(600)
    assert [job.request.revision for job in ruled.jobs(ct_paths)] == [1, 2]


@pytest.mark.parametrize(
    ("pipeline", "to", "words"),
    [
        ("wrong", [], "pipeline: expected one of"),
        ("unet", ["somebody"], "destinations: expected sender, nobody or names of peers"),
        ("unet", ["nobody", "tps"], "destinations: expected"),
    ],
)
def test_unknown_pipelines_and_peers_are_refused_with_what_there_is(
    ruled: Completion, pipeline: str, to: list[str], words: str
) -> None:
    with pytest.raises(RequestedJobError, match=words):
        run_arguments(ruled.configuration, pipeline, to)
