"""Whatever a destination does, results wait for it, and it gets the same bytes in the end."""

from collections.abc import Callable
from typing import Any

import pytest

from node.ledger.events import events_of
from node.ledger.jobs import Destination
from node.scu import PeerAddress
from tests.sending.desk import HOUR_S, Desk, came, to


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
    desk.now[0] += HOUR_S
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert came(peer)[before:] == desk.sources + desk.results


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
    desk.now[0] += HOUR_S
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert came(peer) == desk.sources + desk.results


def test_a_peer_that_never_answers_leaves_everything_waiting(
    desk: Desk, silent_peer: PeerAddress
) -> None:
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
