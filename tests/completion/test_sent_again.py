"""A peer that sends a whole series again gets its results again, where its key says so."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from node.commands import ask, carry_out
from node.delivery.queue_results import queue_results
from node.ledger.row_states import DeliveryState
from node.ledger.schema import deliveries
from node.verbs import RUN
from tests.completion.steps import finish
from tests.support.completion import PACS, SOFT, TPS, Completion, Start, series_uid

AGAIN = TPS | {"resend_results": True}


@pytest.fixture
def delivered(start: Start, ct_paths: list[Path]) -> Completion:
    """A case whose images and structure set were sent to the TPS and the PACS."""
    completion = start(peers=[AGAIN, PACS])
    for calling in ("TPS", "PACS"):
        completion.send(ct_paths, calling=calling)
    completion.settle()
    deliver(completion, ct_paths)
    return completion


def deliver(completion: Completion, paths: list[Path]) -> None:
    """The only job is done, and its destinations have everything."""
    finish(completion, completion.jobs(paths)[0])
    with completion.ledger.writing() as connection:
        [job] = completion.jobs(paths)
        queue_results(connection, job, completion.configuration, now=1.0)
    set_deliveries(completion, DeliveryState.STORED)
    completion.clock.now += 60


def set_deliveries(completion: Completion, state: str) -> None:
    with completion.ledger.writing() as connection:
        connection.execute(update(deliveries).values(state=state))


def waiting(completion: Completion) -> list[tuple[str, str]]:
    """Peers and files of what is to be sent."""
    query = select(deliveries.c.peer, deliveries.c.path)
    query = query.where(deliveries.c.state == DeliveryState.WAITING)
    with completion.ledger.reading() as connection:
        return [(peer, Path(path).name) for peer, path in connection.execute(query)]


def test_the_results_go_to_it_and_not_the_images_nor_to_others(
    delivered: Completion, ct_paths: list[Path]
) -> None:
    delivered.send(ct_paths)
    delivered.settle()
    assert waiting(delivered) == [("tps", "rs.dcm")]
    assert delivered.words(ct_paths)[-1].endswith("again, as the whole series came again")
    assert len(delivered.jobs(ct_paths)) == 1


def test_it_may_do_so_as_often_as_it_likes(delivered: Completion, ct_paths: list[Path]) -> None:
    for _ in range(2):
        set_deliveries(delivered, DeliveryState.STORED)
        delivered.send(ct_paths)
        delivered.settle()
        assert waiting(delivered) == [("tps", "rs.dcm")]
        delivered.clock.now += 60


def test_several_associations_may_bring_it(delivered: Completion, ct_paths: list[Path]) -> None:
    delivered.send(ct_paths[:6])
    delivered.clock.now += 1
    delivered.send(ct_paths[6:])
    delivered.settle()
    assert waiting(delivered) == [("tps", "rs.dcm")]


def test_results_that_a_person_ran_are_sent_again_too(start: Start, ct_paths: list[Path]) -> None:
    completion = start(pipeline=None, peers=[AGAIN], rules=[SOFT])
    completion.send(ct_paths)
    completion.settle()
    arguments = {"pipeline": "unet", "destinations": ["sender"]}
    ask(completion.ledger, RUN, series_uid(ct_paths), arguments=arguments)
    carry_out(completion.ledger)
    completion.settle(0)
    deliver(completion, ct_paths)
    completion.send(ct_paths)
    completion.settle()
    assert waiting(completion) == [("tps", "rs.dcm")]


def test_a_part_of_the_series_brings_nothing(delivered: Completion, ct_paths: list[Path]) -> None:
    delivered.send(ct_paths[:-1])
    delivered.settle()
    assert waiting(delivered) == []


def test_a_peer_without_the_key_gets_nothing_again(
    delivered: Completion, ct_paths: list[Path]
) -> None:
    delivered.send(ct_paths, calling="PACS")
    delivered.settle()
    assert waiting(delivered) == []


def test_results_that_are_on_their_way_are_not_sent_twice(
    start: Start, ct_paths: list[Path]
) -> None:
    completion = start(peers=[AGAIN])
    completion.send(ct_paths)
    completion.settle()
    completion.send(ct_paths)  # the first job still runs
    completion.settle()
    finish(completion, completion.jobs(ct_paths)[0])
    assert "sent again" not in " ".join(completion.words(ct_paths))


def test_results_that_wait_for_a_person_stay_held(
    delivered: Completion, ct_paths: list[Path]
) -> None:
    set_deliveries(delivered, DeliveryState.HELD)
    delivered.send(ct_paths)
    delivered.settle()
    assert waiting(delivered) == []
