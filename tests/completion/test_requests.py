"""One series, several requests: each sender gets its own pipelines, results and receipt."""

from pathlib import Path

from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.row_states import JobState
from node.ledger.tables.deliveries import delivery_states
from tests.completion.asking import asked, by_pipeline, goes, states
from tests.completion.steps import finish
from tests.support.completion import PACS, TPS, Completion, Start


def test_soft_and_hard_each_get_their_pipeline_when_both_are_called_at_once(
    both: Completion, ct_paths: list[Path]
) -> None:
    first, second = both.open("TPS", "SOFT"), both.open("TPS", "HARD")
    both.receive(first, ct_paths)
    both.receive(second, ct_paths)
    both.series_completion.association_ended(first, "released")
    both.series_completion.association_ended(second, "released")
    both.settle()
    assert goes(both, ct_paths) == [("SOFT", "blur", ["tps"]), ("HARD", "unet", ["tps"])]
    assert {job.request.pipeline for job in both.jobs(ct_paths)} == {"blur", "unet"}
    assert [job.state for job in both.jobs(ct_paths)] == [JobState.QUEUED, JobState.QUEUED]


def test_each_sender_gets_the_results_of_its_own_request_alone(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths, calling="TPS", called="SOFT")
    both.send(ct_paths, calling="PACS", called="HARD")
    both.settle()
    jobs = by_pipeline(both, ct_paths)
    assert [one.peer for one in jobs["blur"].destinations] == ["tps"]
    assert [one.peer for one in jobs["unet"].destinations] == ["pacs"]


def test_two_senders_of_one_pipeline_are_one_job_for_both(
    one: Completion, ct_paths: list[Path]
) -> None:
    one.send(ct_paths, calling="TPS")
    one.send(ct_paths, calling="PACS")
    one.settle()
    (job,) = one.jobs(ct_paths)
    assert [destination.peer for destination in job.destinations] == ["tps", "pacs"]
    assert [peers for _, _, peers in goes(one, ct_paths)] == [["tps"], ["pacs"]]


def test_a_finished_case_that_comes_by_a_title_without_a_rule_keeps_what_it_was(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths, called="SOFT")
    both.settle()
    finish(both, both.jobs(ct_paths)[0])
    both.send(ct_paths, called="NOBODY")
    both.settle()
    assert states(both, ct_paths) == ["submitted", "kept"]
    assert both.series(ct_paths).state == "processing"


def test_a_request_that_joins_is_another_one_with_its_own_sender(
    one: Completion, ct_paths: list[Path]
) -> None:
    one.send(ct_paths, calling="TPS")
    one.settle()
    finish(one, one.jobs(ct_paths)[0])
    one.send(ct_paths, calling="PACS")
    one.settle()
    (job,) = one.jobs(ct_paths)
    assert job.state == JobState.DONE
    assert [request.sender.calling_ae_title for request in asked(one, ct_paths)] == ["TPS", "PACS"]
    assert states(one, ct_paths) == ["submitted", "submitted"]
    assert "exists, also for pacs" in one.words(ct_paths)[-1]
    with one.ledger.reading() as connection:
        assert {state.peer for state in delivery_states(connection, job.job_id)} == {"pacs"}


def test_the_same_sender_again_is_a_request_of_its_own_on_the_same_job(
    one: Completion, ct_paths: list[Path]
) -> None:
    for _ in range(2):
        one.send(ct_paths)
        one.settle()
    first, second = asked(one, ct_paths)
    assert (first.state, second.state) == ("submitted", "submitted")
    assert first.content == second.content
    assert len(one.jobs(ct_paths)) == 1


def test_an_association_for_each_slice_is_one_request(
    one: Completion, ct_paths: list[Path]
) -> None:
    for path in ct_paths:
        one.send([path])
        one.clock.now += 1.0
    one.settle(30)
    (request,) = asked(one, ct_paths)
    assert request.state == "submitted"
    assert request.last_at > request.created_at


def test_what_came_in_parts_from_two_senders_is_asked_for_by_both(
    one: Completion, ct_paths: list[Path]
) -> None:
    one.send(ct_paths[:4], calling="TPS")
    one.send(ct_paths[4:], calling="PACS")
    one.settle()
    (job,) = one.jobs(ct_paths)
    assert len(job.request.instance_paths) == len(ct_paths)
    assert [destination.peer for destination in job.destinations] == ["tps", "pacs"]


def test_a_late_instance_gives_every_asker_the_revision(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths[:9], calling="TPS", called="SOFT")
    both.send(ct_paths[:9], calling="PACS", called="HARD")
    both.settle()
    for job in both.jobs(ct_paths):
        finish(both, job)
    both.send(ct_paths[9:], calling="TPS", called="SOFT")
    both.settle()
    assert states(both, ct_paths) == ["superseded", "submitted", "submitted"]
    revised = [job for job in both.jobs(ct_paths) if job.request.revision == 2]
    assert {job.request.pipeline: job.destinations[0].peer for job in revised} == {
        "blur": "tps",
        "unet": "pacs",
    }
    assert all(len(job.request.instance_paths) == len(ct_paths) for job in revised)


def test_a_job_that_takes_over_serves_whoever_waited_for_the_older_one(
    one: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    one.send(ct_paths, calling="TPS")
    one.settle()
    (tmp_path / "model.ckpt").write_bytes(b"other weights")
    one.send(ct_paths, calling="PACS")
    one.settle()
    old, new = one.jobs(ct_paths)
    assert (old.state, new.state) == (JobState.SUPERSEDED, JobState.QUEUED)
    assert [destination.peer for destination in new.destinations] == ["tps", "pacs"]


def test_pipelines_of_one_series_do_not_supersede_one_another(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths, called="SOFT")
    both.settle()
    both.send(ct_paths, called="HARD")
    both.settle()
    assert {name: job.state for name, job in by_pipeline(both, ct_paths).items()} == {
        "blur": JobState.QUEUED,
        "unet": JobState.QUEUED,
    }
    assert len(both.jobs(ct_paths)) == 2


def test_geometry_holds_the_request_that_it_does_not_suit_and_no_other(
    both: Completion, cine_folder: Path
) -> None:
    """Two phases at each position suit the UNet, which works in two dimensions, alone."""
    paths = sorted(cine_folder.glob("*.dcm"))[::2][:4] + sorted(cine_folder.glob("*.dcm"))[1:2]
    both.send(paths, called="HARD")
    both.send(paths, called="SOFT")
    both.settle()
    hard, soft = asked(both, paths)
    assert hard.state == "submitted"
    assert soft.state == "held"
    assert soft.reason
    assert both.series(paths).state == "processing"


def test_a_rule_lets_the_next_ones_count_too(start: Start, ct_paths: list[Path]) -> None:
    completion = start(
        pipeline=None,
        peers=[TPS, PACS],
        rules=[
            {"pipeline": "blur", "also_next": True},
            {"pipeline": "unet", "destinations": ["pacs"], "also_next": True},
            {"pipeline": "unet", "destinations": ["tps"]},
            {"pipeline": "blur", "destinations": ["pacs"]},
        ],
    )
    completion.send(ct_paths)
    completion.settle()
    (request,) = asked(completion, ct_paths)
    assert goes(completion, ct_paths) == [
        ("SLICEWIRE", "blur", ["tps"]),
        ("SLICEWIRE", "unet", ["pacs", "tps"]),
    ]
    with completion.ledger.reading() as connection:
        rules = [job.rule for job in jobs_of_requests(connection, [request.key])]
    assert rules == ["rules.0", "rules.1, rules.2"]


def test_the_pipeline_flag_is_one_job_however_many_rules_count(
    start: Start, ct_paths: list[Path]
) -> None:
    rules = [{"pipeline": "blur", "also_next": True}, {"pipeline": "unet"}]
    completion = start(pipeline="unet", peers=[TPS], rules=rules)
    completion.send(ct_paths)
    completion.settle()
    assert goes(completion, ct_paths) == [("SLICEWIRE", "unet", ["tps"])]
