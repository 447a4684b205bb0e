"""What a person cancels of a request, and what a sender gets that asks again afterwards."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from node.delivery.queue_results import queue_results
from node.ledger.row_states import DeliveryState, JobState
from node.ledger.schema import deliveries
from node.ledger.views.series_history import history_of
from node.ledger.views.states import CaseState
from node.verbs import CANCEL
from tests.completion.asking import person, states
from tests.completion.steps import finish
from tests.support.completion import PACS, TPS, Completion, Start, series_uid


def finish_first(completion: Completion, paths: list[Path]) -> None:
    """The first job is done, and its results are to be sent."""
    finish(completion, completion.jobs(paths)[0])
    with completion.ledger.writing() as connection:
        queue_results(
            connection,
            next(job for job in completion.jobs(paths) if job.state == JobState.DONE),
            completion.configuration.model_copy(update={"export_series": False}),
            now=completion.clock.now,
        )


def end_deliveries(completion: Completion, state: str) -> None:
    with completion.ledger.writing() as connection:
        connection.execute(update(deliveries).values(state=state))


def delivered(completion: Completion) -> list[tuple[str, str]]:
    query = select(deliveries.c.peer, deliveries.c.state).order_by(deliveries.c.id)
    with completion.ledger.reading() as connection:
        return [(peer, state) for peer, state in connection.execute(query)]


def test_a_request_stands_for_what_was_delivered_where_its_other_job_is_cancelled(
    start: Start, ct_paths: list[Path]
) -> None:
    rules = [
        {"pipeline": "blur", "also_next": True},
        {"pipeline": "unet", "destinations": ["pacs"]},
    ]
    completion = start(pipeline=None, peers=[TPS, PACS], rules=rules)
    completion.send(ct_paths)
    completion.settle()
    finish_first(completion, ct_paths)
    end_deliveries(completion, DeliveryState.STORED)
    assert "1 unfinished jobs cancelled" in person(completion, ct_paths, CANCEL)
    assert states(completion, ct_paths) == ["submitted"]
    history = history_of(completion.ledger, series_uid(ct_paths))
    assert history is not None
    assert history.state == CaseState.DELIVERED
    assert history.reason == "tps: 1 stored; cancelled by a person"


@pytest.mark.parametrize(
    "state", [DeliveryState.GIVEN_UP, DeliveryState.REFUSED, DeliveryState.CANCELLED]
)
def test_a_sender_that_asks_again_is_sent_what_did_not_reach_it(
    one: Completion, ct_paths: list[Path], state: str
) -> None:
    one.send(ct_paths, calling="TPS")
    one.send(ct_paths, calling="PACS")
    one.settle()
    finish_first(one, ct_paths)
    end_deliveries(one, state)
    one.send(ct_paths, calling="PACS")
    one.settle()
    to_pacs = [found for peer, found in delivered(one) if peer == "pacs"]
    assert set(to_pacs) == {DeliveryState.WAITING}
    assert {found for peer, found in delivered(one) if peer == "tps"} == {state}
    assert f"{len(to_pacs)} undelivered instances sent again" in one.words(ct_paths)[-1]


def test_a_sender_that_asks_again_for_what_it_has_is_sent_nothing(
    one: Completion, ct_paths: list[Path]
) -> None:
    one.send(ct_paths)
    one.settle()
    finish_first(one, ct_paths)
    end_deliveries(one, DeliveryState.STORED)
    one.send(ct_paths)
    one.settle()
    assert {state for _, state in delivered(one)} == {DeliveryState.STORED}
    assert one.words(ct_paths)[-1].endswith("exists")
