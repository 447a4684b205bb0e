"""A peer is tried again as its own policy says, and anew from its first pause after progress."""

from typing import Any

from sqlalchemy import select, update

from network.scu.c_store import PeerAddress
from node.ledger.requests.jobs import Destination
from node.ledger.schema import deliveries
from tests.sending.desk import HOUR_S, Desk, to

PEER = {"ae_title": "PEER", "ip": "127.0.0.1", "proof": "none"}


def next_pause(desk: Desk, peer: str = "tps") -> float:
    with desk.ledger.reading() as connection:
        of_peer = (deliveries.c.peer == peer) & (deliveries.c.state == "waiting")
        times = connection.scalars(select(deliveries.c.next_attempt_at).where(of_peer))
        return float(min(times)) - desk.now[0]


def test_each_peer_is_tried_again_at_its_own_pauses(desk: Desk, closed_port: PeerAddress) -> None:
    port = {"port": closed_port.port}
    own = PEER | port | {"name": "quick", "retry": {"first_s": 2.0, "growth": 3.0}}
    desk.restart(peers=[own, PEER | port | {"name": "plain", "ip": "127.0.0.2"}])
    desk.queue(*(Destination(name, closed_port.ip, closed_port.port, "PEER")
                 for name in ("quick", "plain", "unknown")))  # fmt: skip
    for pauses in ({"quick": 2, "plain": 30, "unknown": 30}, {"quick": 6, "plain": 60}):
        desk.deliver()
        for name, pause_s in pauses.items():
            assert 0.8 * pause_s <= next_pause(desk, name) <= 1.2 * pause_s
        desk.now[0] += 40


def test_each_peer_is_given_up_after_its_own_time(desk: Desk, closed_port: PeerAddress) -> None:
    quick = {"name": "quick", "retry": {"longest_s": 600.0, "give_up_after_h": 2.0}}
    desk.restart(peers=[PEER | {"port": closed_port.port} | quick])
    desk.queue(*(Destination(name, closed_port.ip, closed_port.port, "PEER")
                 for name in ("quick", "plain")))  # fmt: skip
    begun = desk.now[0]
    while "waiting" in desk.states("quick") and desk.now[0] < begun + 10 * HOUR_S:
        desk.now[0] += 720
        desk.deliver()
    assert 2 * HOUR_S <= desk.now[0] - begun <= 3 * HOUR_S
    assert desk.states("quick") == {"given up": 5}
    assert desk.states("plain") == {"waiting": 5}


def test_an_attempt_that_brought_something_is_followed_by_the_first_pause(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer(lambda _, index: 0x0000 if index == 7 else 0xA700)
    desk.queue(to(peer))
    desk.deliver()
    assert 24 <= next_pause(desk) <= 36
    desk.now[0] += 40
    desk.deliver()  # the third of these is stored
    assert desk.states() == {"stored": 1, "waiting": 4}
    assert 24 <= next_pause(desk) <= 36
    desk.now[0] += 40
    desk.deliver()
    assert 48 <= next_pause(desk) <= 72


def test_what_makes_progress_is_not_given_up(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(lambda _, index: 0x0000 if index == 0 else 0xA700)
    desk.queue(to(peer))
    desk.now[0] += 100 * HOUR_S  # the node was off
    with desk.ledger.writing() as connection:
        connection.execute(update(deliveries).values(attempts=50))
    desk.deliver()
    assert desk.states() == {"stored": 1, "waiting": 4}
    with desk.ledger.writing() as connection:
        connection.execute(update(deliveries).values(attempts=50))
    desk.now[0] += 71 * HOUR_S
    desk.deliver()
    assert desk.states() == {"stored": 1, "waiting": 4}
    with desk.ledger.writing() as connection:
        connection.execute(update(deliveries).values(attempts=50))
    desk.now[0] += 2 * HOUR_S
    desk.deliver()
    assert desk.states() == {"stored": 1, "given up": 4}
