"""What is optional and a peer cannot stand is left out, remembered and shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.config.file import read_configuration
from core.errors import SendError
from network.optional_items import OptionalItem
from network.scu.c_find import found_instances
from network.scu.c_store import PeerAddress, Timeouts, echo, instance_to_send, send
from node.answers import Asker
from node.commands import ECHO, answer_to, ask
from node.echoes import Echoes
from node.ledger.requests.jobs import Destination
from node.ledger.schema import events
from tests.sending.desk import Desk, came
from tests.support.gate import Gate

WINDOW, ROLES, VERSION = OptionalItem
WINDOW_KIND, VERSION_KIND = 0x53, 0x55
DAY_S = 86_400.0
CALLING = "SLICEWIRE"
MakeGate = Callable[..., Gate]
HOWS = ["drops", "aborts", "closes", "rejects", "aborts at once"]


@pytest.fixture
def gate(start_peer: Any) -> Iterator[MakeGate]:
    """A gate before a peer that takes everything."""
    made: list[Gate] = []

    def make(*cannot_stand: OptionalItem, how: str = "drops") -> Gate:
        peer = start_peer()
        made.append(Gate(peer.address.port, cannot_stand, how, peer=peer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def address(gate: Gate, **keys: Any) -> PeerAddress:
    return PeerAddress("127.0.0.1", gate.port, "PEER", **keys)


def queue(desk: Desk, gate: Gate, **keys: Any) -> None:
    desk.queue(Destination("tps", "127.0.0.1", gate.port, "PEER"))
    start(desk, gate, **keys)


def start(desk: Desk, gate: Gate, timeout_s: float = 60.0, **keys: Any) -> None:
    """The node starts, with the gate as its peer."""
    peer = {"name": "tps", "ae_title": "PEER", "ip": "127.0.0.1", "port": gate.port}
    desk.restart(peers=[peer | {"proof": "none"} | keys], delivery={"timeout_s": timeout_s})


def told(desk: Desk) -> list[str]:
    with desk.ledger.reading() as connection:
        words = select(events.c.words).where(events.c.kind == "peer").order_by(events.c.id)
        return list(connection.scalars(words))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("item", [WINDOW, VERSION])
def test_results_come_at_the_first_attempt_without_what_the_peer_cannot_stand(
    desk: Desk, gate: MakeGate, item: OptionalItem, how: str
) -> None:
    door = gate(item, how=how)
    queue(desk, door)
    desk.deliver()
    assert came(door.peer) == desk.sources + desk.results
    assert desk.states() == {"stored": 5}
    [words] = told(desk)
    assert item in words


def test_a_peer_that_hangs_is_asked_without_a_window(desk: Desk, gate: MakeGate) -> None:
    door = gate(WINDOW, how="hangs")
    queue(desk, door, timeout_s=6.0)
    desk.deliver()
    assert came(door.peer) == desk.sources + desk.results
    assert [WINDOW_KIND in one for one in door.offered] == [True, False]
    [words] = told(desk)
    assert WINDOW in words
    desk.again()
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert [WINDOW_KIND in one for one in door.offered] == [True, False, False]


def test_a_request_that_is_not_answered_is_followed_by_one_without_a_window(
    gate: MakeGate, cine_folder: Any
) -> None:
    door, learned = gate(WINDOW, how="ignores"), list[object]()
    instance = instance_to_send(next(cine_folder.glob("*.dcm")))
    timeouts = Timeouts(associate_s=6.0)
    [outcome] = send([instance], address(door, learn=learned.append), CALLING, timeouts=timeouts)
    assert outcome.is_stored
    assert learned == [{WINDOW}]


def test_a_peer_that_never_answers_waits_for_two_time_limits(desk: Desk, gate: MakeGate) -> None:
    door = gate(*OptionalItem, how="hangs")
    queue(desk, door, timeout_s=3.0)
    desk.deliver()
    assert desk.states() == {"waiting": 5}
    assert told(desk) == []
    assert "did not answer within 3 s" in desk.parcel_words()[0]
    assert [WINDOW_KIND in one for one in door.offered] == [True, False]


def test_it_is_remembered_over_a_restart_and_forgotten_after_a_month(
    desk: Desk, gate: MakeGate
) -> None:
    door = gate(WINDOW)
    queue(desk, door)
    desk.deliver()
    for days, associations in ((1, 1), (40, 2)):
        desk.now[0] += days * DAY_S
        desk.again()
        start(desk, door)
        door.offered.clear()
        desk.deliver()
        assert desk.states() == {"stored": 5}
        assert len(door.offered) == associations
        assert (WINDOW_KIND in door.offered[0]) == (days == 40)
    assert len(told(desk)) == 2


@pytest.mark.parametrize(
    ("key", "kind"),
    [("operations_window", WINDOW_KIND), ("implementation_version_name", VERSION_KIND)],
)
@pytest.mark.parametrize("value", ["never", False])
def test_a_key_leaves_each_of_them_out_from_the_beginning(
    desk: Desk, gate: MakeGate, key: str, kind: int, *, value: object
) -> None:
    door = gate()
    queue(desk, door, negotiation={key: value})
    desk.deliver()
    assert [kind in one for one in door.offered] == [False]
    assert told(desk) == []


def test_what_a_key_offers_always_is_never_left_out(desk: Desk, gate: MakeGate) -> None:
    door = gate(WINDOW)
    queue(desk, door, negotiation={"operations_window": "always"})
    desk.deliver()
    assert desk.states() == {"waiting": 5}
    assert all(WINDOW_KIND in one for one in door.offered)
    assert told(desk) == []


def test_several_associations_leave_it_out_each(desk: Desk, gate: MakeGate) -> None:
    door = gate(WINDOW)
    queue(desk, door, associations=4)
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert len(told(desk)) == 1


def test_nothing_is_learned_of_a_peer_that_ends_every_association(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer(lambda event, _: event.assoc.abort() or 0x0000)
    desk.queue(Destination("tps", "127.0.0.1", peer.address.port, "PEER"))
    desk.deliver()
    assert desk.states() == {"waiting": 5}
    assert told(desk) == []
    assert "aborted the association" in desk.parcel_words()[0]


def test_nothing_is_learned_of_a_peer_that_refuses_for_a_reason(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer(only_from=("ANOTHER",))
    desk.queue(Destination("tps", "127.0.0.1", peer.address.port, "PEER"))
    desk.deliver()
    assert told(desk) == []
    assert "calling AE title not recognised" in desk.parcel_words()[0]


def test_an_echo_says_what_is_left_out(desk: Desk, gate: MakeGate) -> None:
    door = gate(VERSION)
    peer = {"name": "tps", "ae_title": "PEER", "ip": "127.0.0.1", "port": door.port}
    configuration = read_configuration(None, {"storage_path": desk.storage_path, "peers": [peer]})
    for _ in range(2):
        command = ask(desk.ledger, ECHO, "tps", Asker("eve", ""))
        assert Echoes(configuration, desk.ledger).answer_next()
        answer = answer_to(desk.ledger, command)
        assert answer is not None
        assert answer.words == "answers, without implementation version name"
    assert [VERSION_KIND in one for one in door.offered] == [True, False, False]


def test_echo_and_query_leave_it_out_without_a_ledger(gate: MakeGate) -> None:
    door, learned = gate(VERSION), list[object]()
    echo(address(door, learn=learned.append), CALLING)
    assert learned == [{VERSION}]
    with pytest.raises(SendError, match="none of the presentation contexts"):
        found_instances(address(door), CALLING, study_instance_uid="1.2", series_instance_uid="1.3")


def test_what_is_left_out_is_not_offered(gate: MakeGate, cine_folder: Any) -> None:
    door = gate()
    instance = instance_to_send(next(cine_folder.glob("*.dcm")))
    for leaves_out in (frozenset[OptionalItem](), frozenset({WINDOW, VERSION})):
        [outcome] = send([instance], replace(address(door), leaves_out=leaves_out), CALLING)
        assert outcome.is_stored
    assert [one & {WINDOW_KIND, VERSION_KIND} for one in door.offered] == [
        {WINDOW_KIND, VERSION_KIND},
        set(),
    ]
