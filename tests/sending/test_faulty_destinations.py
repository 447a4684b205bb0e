"""Whatever a destination does, results wait for it, and it gets the same bytes in the end."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from network.scu.c_store import PeerAddress
from node.ledger.requests.jobs import Destination
from node.ledger.schema import deliveries
from node.ledger.tables.deliveries import cancel_deliveries
from node.ledger.tables.events import events_of
from tests.sending.desk import HOUR_S, JOB, LONGEST_PAUSE_S, Desk, came, to


def abort(event: Any, index: int) -> int:
    event.assoc.abort()
    return 0x0000


def warn(event: Any, index: int) -> int:
    return (0xB000, 0xB006, 0xB007)[index % 3]


def out_of_resources(event: Any, index: int) -> int:
    return 0xA700


def words_of(desk: Desk) -> list[str]:
    with desk.ledger.reading() as connection:
        return [words for _, _, words in events_of(connection, "1.2.3")]


@pytest.mark.parametrize("trouble", [abort, out_of_resources])
def test_a_peer_in_trouble_for_an_hour_gets_everything_afterwards(
    desk: Desk, start_peer: Any, trouble: Callable[[Any, int], int]
) -> None:
    begun = desk.now[0]
    peer = start_peer(lambda *one: trouble(*one) if desk.now[0] < begun + HOUR_S else 0x0000)
    desk.queue(to(peer))
    while desk.now[0] < begun + HOUR_S:
        desk.deliver()
        assert desk.states() == {"waiting": 5}
        desk.now[0] += 60
    before = len(peer.received)
    desk.now[0] += LONGEST_PAUSE_S
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert came(peer)[before:] == desk.sources + desk.results


def test_results_go_out_when_the_system_has_threads_again(
    desk: Desk, start_peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    peer = start_peer()
    desk.queue(to(peer))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError):
            desk.deliver()
    desk.deliver()
    assert desk.states() == {"stored": 5}


def test_a_peer_that_is_down_for_an_hour_gets_everything_afterwards(
    desk: Desk, start_peer: Any, closed_port: PeerAddress
) -> None:
    peer = start_peer()
    desk.queue(Destination("tps", closed_port.ip, closed_port.port, "PEER"))
    begun = desk.now[0]
    while desk.now[0] < begun + HOUR_S:
        desk.deliver()
        desk.now[0] += 60
    assert desk.states() == {"waiting": 5}
    assert words_of(desk)[-1].startswith("tps: 0 of 5 instances stored")
    desk.move("tps", peer.address.port)
    desk.now[0] += LONGEST_PAUSE_S
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert came(peer) == desk.sources + desk.results


def test_a_corrected_address_counts_for_what_waits(
    desk: Desk, start_peer: Any, closed_port: PeerAddress
) -> None:
    peer = start_peer()
    desk.queue(Destination("tps", closed_port.ip, closed_port.port, "NOBODY"))
    desk.deliver()
    assert desk.states() == {"waiting": 5}
    corrected = {"name": "tps", "ae_title": "PEER", "ip": "127.0.0.1", "port": peer.address.port}
    desk.restart(peers=[corrected | {"proof": "none"}])
    desk.now[0] += 60
    desk.deliver()
    assert desk.states() == {"stored": 5}


def test_a_peer_that_is_away_for_weeks_is_still_tried_at_pauses(
    desk: Desk, closed_port: PeerAddress
) -> None:
    desk.restart(delivery={"longest_retry_s": 60, "give_up_after_h": 10_000})
    desk.queue(Destination("tps", closed_port.ip, closed_port.port, "NOBODY"))
    with desk.ledger.writing() as connection:
        connection.execute(update(deliveries).values(attempts=5000))
    assert desk.deliver() == 1
    assert desk.deliver() == 0
    assert desk.states() == {"waiting": 5}


def test_a_cancel_ends_what_is_being_sent(desk: Desk, start_peer: Any) -> None:
    def cancel(_: Any, index: int) -> int:
        if index == 1:
            with desk.ledger.writing() as connection:
                cancel_deliveries(connection, JOB, desk.now[0])
        return 0x0000

    peer = start_peer(cancel)
    desk.queue(to(peer))
    desk.deliver()
    assert len(peer.received) == 2
    assert desk.states() == {"cancelled": 3, "stored": 2}


@pytest.mark.slow
def test_a_peer_that_never_answers_leaves_everything_waiting(
    desk: Desk, silent_peer: PeerAddress
) -> None:
    desk.restart(delivery={"timeout_s": 1.0})
    desk.queue(Destination("tps", silent_peer.ip, silent_peer.port, "PEER"))
    desk.deliver()
    assert desk.states() == {"waiting": 5}


def test_a_peer_that_rejects_the_association_leaves_everything_waiting_in_words(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer(only_from=("SOMEBODY",))
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"waiting": 5}
    assert "calling AE title not recognised" in words_of(desk)[-1]


def test_warnings_count_as_stored_and_are_told(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(warn)
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert desk.parcel_words()[0] == "Warning: coercion of data elements (0xB000)"
