"""One series, several requests: each sender gets its own pipelines, results and receipt."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from sqlalchemy import select

from node.commands import CANCEL, RELEASE, RETRY, ask, carry_out
from node.ledger.deliveries import delivery_states
from node.ledger.instances import ABORTED
from node.ledger.jobs import CANCELLED, DONE, QUEUED, SUPERSEDED, JobRow
from node.ledger.requests import Request, jobs_of_requests, requests_of
from node.ledger.schema import deliveries
from node.results import queue_results
from tests.completion.conftest import Completion, Start, series_uid
from tests.completion.test_revisions import finish

TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
PACS = {"name": "pacs", "ae_title": "PACS", "ip": "192.0.2.2", "port": 105}
SOFT = {"called_ae_title": "SOFT", "pipeline": "blur"}
HARD = {"called_ae_title": "HARD", "pipeline": "unet"}


@pytest.fixture
def both(start: Start) -> Completion:
    """SOFT gets the blur, HARD the UNet; two peers send."""
    return start(pipeline=None, peers=[TPS, PACS], rules=[SOFT, HARD])


@pytest.fixture
def one(start: Start) -> Completion:
    """Every peer gets the results of the UNet."""
    return start(peers=[TPS, PACS])


def asked(completion: Completion, paths: Sequence[Path]) -> list[Request]:
    with completion.ledger.reading() as connection:
        return requests_of(connection, series_uid(paths))


def states(completion: Completion, paths: Sequence[Path]) -> list[str]:
    return [request.state for request in asked(completion, paths)]


def goes(completion: Completion, paths: Sequence[Path]) -> list[tuple[str, str, list[str]]]:
    """Called title, pipeline and destinations of every request's latest jobs."""
    found = []
    with completion.ledger.reading() as connection:
        for request in requests_of(connection, series_uid(paths)):
            latest = {job.pipeline: job for job in jobs_of_requests(connection, [request.key])}
            for job in latest.values():
                peers = [destination.peer for destination in job.destinations]
                found.append((request.sender.called_ae_title, job.pipeline, peers))
    return found


def by_pipeline(completion: Completion, paths: Sequence[Path]) -> dict[str, JobRow]:
    """The job of each pipeline that was not superseded."""
    jobs = completion.jobs(paths)
    return {job.request.pipeline: job for job in jobs if job.state != SUPERSEDED}


def person(completion: Completion, paths: Sequence[Path], verb: str) -> str:
    ask(completion.ledger, verb, series_uid(paths))
    carry_out(completion.ledger)
    return completion.words(paths)[-1]


def test_soft_and_hard_each_get_their_pipeline_when_both_are_called_at_once(
    both: Completion, ct_paths: list[Path]
) -> None:
    first, second = both.open("TPS", "SOFT"), both.open("TPS", "HARD")
    both.receive(first, ct_paths)
    both.receive(second, ct_paths)
    both.tracker.association_ended(first, "released")
    both.tracker.association_ended(second, "released")
    both.settle()
    assert goes(both, ct_paths) == [("SOFT", "blur", ["tps"]), ("HARD", "unet", ["tps"])]
    assert {job.request.pipeline for job in both.jobs(ct_paths)} == {"blur", "unet"}
    assert [job.state for job in both.jobs(ct_paths)] == [QUEUED, QUEUED]


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
    assert job.state == DONE
    assert [request.sender.calling_ae_title for request in asked(one, ct_paths)] == ["TPS", "PACS"]
    assert states(one, ct_paths) == ["submitted", "submitted"]
    assert "stands, also for pacs" in one.words(ct_paths)[-1]
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
    one.settle()
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
    assert (old.state, new.state) == (SUPERSEDED, QUEUED)
    assert [destination.peer for destination in new.destinations] == ["tps", "pacs"]


def test_pipelines_of_one_series_do_not_supersede_one_another(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths, called="SOFT")
    both.settle()
    both.send(ct_paths, called="HARD")
    both.settle()
    assert {name: job.state for name, job in by_pipeline(both, ct_paths).items()} == {
        "blur": QUEUED,
        "unet": QUEUED,
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


def test_a_request_of_an_association_that_was_open_when_the_node_died_is_not_lost(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths, called="SOFT")
    both.receive(both.open(called="HARD"), ct_paths)
    cut_off = 2
    both.tracker.association_ended(cut_off, ABORTED)  # as a start closes what was open
    both.settle()
    assert [request.outcome for request in asked(both, ct_paths)] == ["released", "aborted"]
    assert len(both.jobs(ct_paths)) == 2


def test_who_brings_a_series_after_the_end_of_the_association_asks_for_it(
    both: Completion, ct_paths: list[Path]
) -> None:
    association = both.open(called="SOFT")
    both.tracker.association_ended(association, "released")
    both.receive(association, ct_paths)  # recorded after the end
    both.settle(0)
    both.settle()
    (request,) = asked(both, ct_paths)
    assert (request.sender.called_ae_title, request.state) == ("SOFT", "submitted")


def test_a_person_releases_and_cancels_what_is_held_of_a_case_that_runs(
    both: Completion, ct_paths: list[Path]
) -> None:
    (both.configuration.storage_path.parent / "model.ckpt").unlink()
    both.send(ct_paths, called="SOFT")
    both.send(ct_paths, called="HARD")
    both.settle()
    assert states(both, ct_paths) == ["submitted", "held"]
    assert person(both, ct_paths, RELEASE).endswith("put it right at the node, then retry")
    assert person(both, ct_paths, RETRY) == "looked at again"
    assert states(both, ct_paths) == ["submitted", "waiting"]
    both.settle(0)
    assert states(both, ct_paths) == ["submitted", "held"]
    assert "1 held requests are given up" in person(both, ct_paths, CANCEL)
    assert states(both, ct_paths) == ["cancelled", "cancelled"]
    (both.configuration.storage_path.parent / "model.ckpt").write_bytes(b"weights")
    assert person(both, ct_paths, RETRY).endswith("the series is looked at again")
    both.settle(0)
    assert states(both, ct_paths) == ["submitted", "submitted"]
    assert {job.state for job in both.jobs(ct_paths)} == {QUEUED}


def test_a_cancelled_request_gets_no_later_revision(one: Completion, ct_paths: list[Path]) -> None:
    one.send(ct_paths[:9], calling="TPS")
    one.settle()
    person(one, ct_paths, CANCEL)
    one.send(ct_paths[9:], calling="PACS")
    one.settle()
    cancelled, queued = one.jobs(ct_paths)
    assert (cancelled.state, queued.state) == (CANCELLED, QUEUED)
    assert [destination.peer for destination in queued.destinations] == ["pacs"]


def test_results_that_are_there_are_sent_to_a_later_asker_once(
    one: Completion, ct_paths: list[Path]
) -> None:
    one.send(ct_paths, calling="TPS")
    one.settle()
    finish(one, one.jobs(ct_paths)[0])
    (job,) = one.jobs(ct_paths)
    with one.ledger.writing() as connection:
        queue_results(
            connection,
            replace(job),
            storage_path=one.ledger.storage_path,
            export_series=False,
            now=one.clock.now,
        )
    for _ in range(2):
        one.send(ct_paths, calling="PACS")
        one.settle()
    with one.ledger.reading() as connection:
        peers = connection.scalars(select(deliveries.c.peer).order_by(deliveries.c.id)).all()
    sent = 1 + len(ct_paths)  # the structure set after the images that it was drawn on
    assert peers == ["tps"] + sent * ["pacs"]


def test_what_differs_holds_the_series_for_every_request(
    both: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    both.send(ct_paths, called="SOFT")
    data_set = pydicom.dcmread(ct_paths[3])
    data_set.PixelData = bytes(len(data_set.PixelData))
    data_set.save_as(tmp_path / "changed.dcm")
    both.send([tmp_path / "changed.dcm"], called="HARD")
    both.settle()
    assert both.series(ct_paths).state == "held"
    assert states(both, ct_paths) == ["waiting", "waiting"]
    assert both.jobs(ct_paths) == []
