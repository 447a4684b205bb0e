"""Requests that a person, a crash or other content ends, and what of them stays."""

from dataclasses import replace
from pathlib import Path

import pydicom
from sqlalchemy import select

from node.delivery.queue_results import queue_results
from node.ledger.row_states import JobState
from node.ledger.schema import deliveries
from node.ledger.tables.instances import ABORTED
from node.verbs import CANCEL, RELEASE, RETRY
from tests.completion.asking import asked, person, states
from tests.completion.steps import finish
from tests.support.completion import Completion


def test_a_request_of_an_association_that_was_open_when_the_node_died_is_not_lost(
    both: Completion, ct_paths: list[Path]
) -> None:
    both.send(ct_paths, called="SOFT")
    both.receive(both.open(called="HARD"), ct_paths)
    cut_off = 2
    both.series_completion.association_ended(cut_off, ABORTED)  # as a start closes what was open
    both.settle()
    assert [request.outcome for request in asked(both, ct_paths)] == ["released", "aborted"]
    assert len(both.jobs(ct_paths)) == 2


def test_who_brings_a_series_after_the_end_of_the_association_asks_for_it(
    both: Completion, ct_paths: list[Path]
) -> None:
    association = both.open(called="SOFT")
    both.series_completion.association_ended(association, "released")
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
    assert person(both, ct_paths, RETRY) == "judged again"
    assert states(both, ct_paths) == ["submitted", "waiting"]
    both.settle(0)
    assert states(both, ct_paths) == ["submitted", "held"]
    assert "1 held requests are cancelled" in person(both, ct_paths, CANCEL)
    assert states(both, ct_paths) == ["cancelled", "cancelled"]
    (both.configuration.storage_path.parent / "model.ckpt").write_bytes(b"weights")
    assert person(both, ct_paths, RETRY).endswith("the series is judged again")
    both.settle(0)
    assert states(both, ct_paths) == ["submitted", "submitted"]
    assert {job.state for job in both.jobs(ct_paths)} == {JobState.QUEUED}


def test_a_cancelled_request_gets_no_later_revision(one: Completion, ct_paths: list[Path]) -> None:
    one.send(ct_paths[:9], calling="TPS")
    one.settle()
    person(one, ct_paths, CANCEL)
    one.send(ct_paths[9:], calling="PACS")
    one.settle()
    cancelled, queued = one.jobs(ct_paths)
    assert (cancelled.state, queued.state) == (JobState.CANCELLED, JobState.QUEUED)
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
            one.configuration.model_copy(update={"export_series": False}),
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
