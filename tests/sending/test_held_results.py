"""What a person must look at first leaves this machine only when that was done."""

from typing import Any

import psutil
import pytest
from sqlalchemy import select

from network.hosts import is_this_machine
from node.commands import ask, carry_out
from node.ledger.requests.jobs import Destination
from node.ledger.schema import deliveries, events, notices, series
from node.verbs import CANCEL, RELEASE, RETRY
from tests.sending.desk import Desk, came, to

WHY = "model m is for demonstration: a person looks at what leaves this machine"
ELSEWHERE = Destination("pacs", "192.0.2.7", 104, "PACS")


def asked(desk: Desk, verb: str) -> None:
    ask(desk.ledger, verb, "1.2.3")
    carry_out(desk.ledger)


def test_they_wait_where_they_would_leave_and_somebody_is_told(desk: Desk) -> None:
    desk.queue(ELSEWHERE, look_first=WHY)
    assert desk.states("pacs") == {"held": 5}
    assert desk.deliver() == 0
    with desk.ledger.reading() as connection:
        [told] = connection.scalars(select(events.c.words).where(events.c.kind == "held"))
        [notice] = connection.scalars(select(notices.c.body))
        words = set(connection.scalars(select(deliveries.c.words)))
    assert told == f"pacs: {WHY}"
    assert (notice["kind"], notice["words"]) == ("held", told)
    assert words == {WHY}


def test_on_this_machine_nobody_is_waited_for(desk: Desk, start_peer: Any) -> None:
    peer = start_peer()
    desk.queue(to(peer), ELSEWHERE, look_first=WHY)
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert desk.states("pacs") == {"held": 5}


def test_what_nobody_needs_to_look_at_goes_at_once(desk: Desk) -> None:
    desk.queue(ELSEWHERE)
    assert desk.states("pacs") == {"waiting": 5}


def test_released_results_are_sent(desk: Desk, start_peer: Any) -> None:
    peer = start_peer()
    desk.queue(ELSEWHERE, look_first=WHY)
    asked(desk, RELEASE)
    with desk.ledger.writing() as connection:  # so that the test sees them come
        here = deliveries.update().values(ip=peer.address.ip, port=peer.address.port)
        connection.execute(here.values(ae_title=peer.address.ae_title))
    desk.deliver()
    assert desk.states("pacs") == {"stored": 5}
    assert came(peer) == desk.sources + desk.results
    with desk.ledger.reading() as connection:
        kinds = select(events.c.words).where(events.c.kind == "person: release")
        assert connection.scalars(kinds).all() == ["reviewed, 5 instances are sent"]


def test_trying_again_releases_nothing(desk: Desk) -> None:
    desk.queue(ELSEWHERE, look_first=WHY)
    asked(desk, RETRY)
    assert desk.states("pacs") == {"held": 5}


def test_a_person_may_decide_that_they_never_go(desk: Desk) -> None:
    desk.queue(ELSEWHERE, look_first=WHY)
    asked(desk, CANCEL)
    asked(desk, RELEASE)
    assert desk.states("pacs") == {"cancelled": 5}


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.7", False),
        ("no-such-host.invalid", False),
    ],
)
def test_this_machine_is_known_by_its_addresses(host: str, *, is_ours: bool) -> None:
    assert is_this_machine(host) == is_ours


def test_addresses_of_its_interfaces_are_this_machines() -> None:
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family.name == "AF_INET":
                assert is_this_machine(one.address)


def test_releasing_a_series_that_is_held_itself_sends_nothing_of_before(desk: Desk) -> None:
    desk.queue(ELSEWHERE, look_first=WHY)
    with desk.ledger.writing() as connection:
        row: dict[str, Any] = {"series_instance_uid": "1.2.3", "study_instance_uid": "1.2.2"}
        row |= dict.fromkeys(("calling_ae_title", "called_ae_title", "address"), "")
        row |= dict.fromkeys(("first_at", "last_at", "ready_at"), 1.0)
        row |= {"state": "held", "reason": "why", "released_by_person": False}
        row |= {"holds": {"cut off": "why"}, "is_releasable": True}
        connection.execute(series.insert().values(**row))
    asked(desk, RELEASE)
    assert desk.states("pacs") == {"held": 5}
    asked(desk, RELEASE)
    assert desk.states("pacs") == {"waiting": 5}
