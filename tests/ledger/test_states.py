"""One function says where cases and requests stand, and every way to ask agrees with it."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update

from bench.history import deliveries_of
from core.job import JobRequest
from network.sender import Sender
from node.ledger.database import Ledger
from node.ledger.requests import requests as asked
from node.ledger.requests.jobs import Destination, create_job
from node.ledger.requests.request_jobs import JobOfRequest, link_job
from node.ledger.requests.requests import decide, request_by_sender, requests_of
from node.ledger.row_states import DeliveryState, JobState, RequestState, SeriesState
from node.ledger.schema import deliveries, jobs
from node.ledger.tables.instances import StoredInstance, open_association, touch_series
from node.ledger.tables.series import find_series, set_state
from node.ledger.views.series_history import latest_histories
from node.ledger.views.series_status import RequestStatus, count_states, status_of
from node.ledger.views.states import CaseState, states_named
from node.ledger.views.status import status_lines
from tests.support.databases import open_test_ledger
from tests.support.web.serving import web_configuration

TPS = Destination("TPS", "127.0.0.1", 104, "TPS")
PACS = Destination("PACS", "127.0.0.1", 105, "PACS")
SENDERS = [
    Sender(title, called, "127.0.0.1") for title in ("A", "B") for called in ("SOFT", "HARD")
]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_test_ledger(tmp_path)


def add_series(
    connection: Connection, uid: str, state: SeriesState = SeriesState.PROCESSING
) -> None:
    association = open_association(connection, SENDERS[0], 1.0)
    instance = StoredInstance(f"{uid}.1", uid, "1", "1", "1", "0", 1, "p", made_here=False)
    touch_series(connection, instance, association, 1.0)
    set_state(connection, uid, state)


def add_request(connection: Connection, uid: str, sender: Sender, state: RequestState) -> int:
    request_by_sender(connection, uid, sender, outcome="released", now=1.0)
    key = requests_of(connection, uid)[-1].key
    decide(connection, key, state, f"why {state}")
    return key


def add_job(connection: Connection, uid: str, job_id: str, state: str, *sent: str) -> None:
    """With one delivery to the TPS in each state of `sent`."""
    request = JobRequest(
        job_id=job_id,
        series_instance_uid=uid,
        instance_paths=(),
        pipeline="blur",
        kind="blur",
        parameters={},
        root_uid="1.2",
        created=datetime.fromtimestamp(0, UTC),
        output_dir=job_id,
    )
    create_job(connection, request, (), 1.0)
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(state=state))
    for position, one in enumerate(sent):
        row = deliveries_of(job_id, 0, one)[0] | {"position": position}
        connection.execute(insert(deliveries).values(**row))


def a_case(ledger: Ledger, job_state: str, *sent: str) -> RequestStatus:
    """Of one sender's request, with one job."""
    with ledger.writing() as connection:
        add_series(connection, "1.2")
        key = add_request(connection, "1.2", SENDERS[0], RequestState.SUBMITTED)
        add_job(connection, "1.2", "job", job_state, *sent)
        link_job(connection, JobOfRequest(key, "job", "blur", "rules.0", (TPS,)))
    with ledger.reading() as connection:
        row = find_series(connection, "1.2")
        assert row is not None
        (request,) = status_of(connection, row).requests
    return request


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        ((DeliveryState.STORED, DeliveryState.STORED), CaseState.DELIVERED),
        ((DeliveryState.STORED, DeliveryState.WAITING), CaseState.SENDING),
        ((DeliveryState.STORED, DeliveryState.GIVEN_UP), CaseState.NOT_DELIVERED),
        ((DeliveryState.STORED, DeliveryState.REFUSED), CaseState.NOT_DELIVERED),
        ((DeliveryState.WAITING, DeliveryState.REFUSED), CaseState.NOT_DELIVERED),
        ((DeliveryState.STORED, DeliveryState.CANCELLED), CaseState.NOT_DELIVERED),
        ((DeliveryState.HELD, DeliveryState.HELD), CaseState.HELD),
        ((), CaseState.DONE),
    ],
)
def test_a_finished_job_stands_where_its_deliveries_do(
    ledger: Ledger, sent: tuple[str, ...], state: CaseState
) -> None:
    assert a_case(ledger, JobState.DONE, *sent).state == state


@pytest.mark.parametrize(
    "sent", [DeliveryState.GIVEN_UP, DeliveryState.REFUSED, DeliveryState.CANCELLED]
)
def test_what_was_not_delivered_is_found_among_what_failed_and_not_among_what_is_sent(
    ledger: Ledger, sent: str
) -> None:
    a_case(ledger, JobState.DONE, sent)
    assert [one.state for one in latest_histories(ledger, None, "failed")] == ["not delivered"]
    assert [one.state for one in latest_histories(ledger, None, "not delivered")] == [
        "not delivered"
    ]
    assert latest_histories(ledger, None, "sending") == []


def test_status_counts_what_was_delivered_as_delivered(ledger: Ledger, tmp_path: Path) -> None:
    a_case(ledger, JobState.DONE, DeliveryState.STORED)
    lines = status_lines(ledger, web_configuration(tmp_path))
    assert "cases: 1 delivered" in lines


def test_a_request_stands_where_its_own_destinations_do(ledger: Ledger) -> None:
    a_case(ledger, JobState.DONE, DeliveryState.STORED)
    with ledger.writing() as connection:
        key = add_request(connection, "1.2", SENDERS[1], RequestState.SUBMITTED)
        link_job(connection, JobOfRequest(key, "job", "blur", "rules.0", (PACS,)))
        row = deliveries_of("job", 0, DeliveryState.REFUSED)[0] | {"peer": "PACS"}
        connection.execute(insert(deliveries).values(**row))
        series = find_series(connection, "1.2")
        assert series is not None
        found = status_of(connection, series)
    assert [one.state for one in found.requests] == [CaseState.DELIVERED, CaseState.NOT_DELIVERED]
    assert found.state == CaseState.NOT_DELIVERED
    assert found.words == "PACS: 1 refused"


def random_ledger(connection: Connection, seed: int, count: int) -> None:
    """Cases at random states, with requests, jobs and deliveries at random states."""
    chance = random.Random(seed)
    for number in range(count):
        uid = f"1.{number}"
        states = (
            SeriesState.PROCESSING,
            SeriesState.PROCESSING,
            SeriesState.PROCESSING,
            SeriesState.KEPT,
            SeriesState.SETTLING,
            SeriesState.HELD,
            SeriesState.CANCELLED,
        )
        add_series(connection, uid, chance.choice(states))
        for sender in chance.sample(SENDERS, chance.randint(0, 3)):
            asked_states = (
                *asked.STANDING,
                RequestState.SUBMITTED,
                RequestState.FAILED,
                RequestState.CANCELLED,
            )
            state = chance.choice((*asked_states, RequestState.SUPERSEDED))
            key = add_request(connection, uid, sender, state)
            for job in range(chance.randint(1 if state == RequestState.SUBMITTED else 0, 2)):
                job_id = f"{uid} {key} {job}"
                all_states = (
                    JobState.QUEUED,
                    JobState.RUNNING,
                    JobState.FAILED,
                    JobState.SUPERSEDED,
                    JobState.CANCELLED,
                    JobState.DONE,
                    JobState.DONE,
                    JobState.DONE,
                )
                in_states = (
                    DeliveryState.WAITING,
                    DeliveryState.STORED,
                    DeliveryState.STORED,
                    DeliveryState.REFUSED,
                    DeliveryState.GIVEN_UP,
                    DeliveryState.CANCELLED,
                    DeliveryState.HELD,
                )
                sent = chance.choices(in_states, k=chance.randint(0, 2))
                add_job(connection, uid, job_id, chance.choice(all_states), *sent)
                pipeline = chance.choice(("blur", "unet"))
                peers = chance.choice(((TPS,), (PACS,), ()))
                link_job(connection, JobOfRequest(key, job_id, pipeline, "", peers))


@pytest.mark.parametrize("seed", range(3))
def test_filters_and_counts_agree_with_the_function_on_random_ledgers(
    ledger: Ledger, seed: int
) -> None:
    with ledger.writing() as connection:
        random_ledger(connection, seed, 60)
    every = latest_histories(ledger)
    assert len(every) == 60
    for state in CaseState:
        expected = {one.series_instance_uid for one in every if one.state in states_named(state)}
        found = {one.series_instance_uid for one in latest_histories(ledger, None, state)}
        assert found == expected, state
    with ledger.reading() as connection:
        counts, some = count_states(connection), count_states(connection, [CaseState.HELD])
    assert counts == {state: sum(one.state == state for one in every) for state in CaseState}
    assert some == {CaseState.HELD: counts[CaseState.HELD]}
    assert len({one.state for one in every}) > 6


def test_a_word_that_is_no_state_finds_nothing(ledger: Ledger) -> None:
    a_case(ledger, JobState.DONE, DeliveryState.STORED)
    assert latest_histories(ledger, None, "processing") == []
