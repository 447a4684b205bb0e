"""What a peer refuses for good, what it may take later, and what it has already."""

from typing import Any

import pytest
from sqlalchemy import select, update

from network.statuses import State, state_of, words_of
from node.ledger.schema import deliveries, events
from tests.sending.desk import HOUR_S, Desk, came, to

MR = "1.2.840.10008.5.1.4.1.1.4"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
SEVERAL = {"name": "tps", "ae_title": "PEER", "ip": "127.0.0.1", "port": 104, "associations": 4}


def dead_letters(desk: Desk) -> list[str]:
    with desk.ledger.reading() as connection:
        dead = select(events.c.words).where(events.c.kind == "dead letter")
        return list(connection.scalars(dead.order_by(events.c.id)))


def told(desk: Desk) -> list[str]:
    with desk.ledger.reading() as connection:
        return list(connection.scalars(select(events.c.words).order_by(events.c.id)))


@pytest.mark.parametrize("status", [0x0001, 0x0107, 0x0116, 0xB001, 0xBFFF])
def test_every_warning_of_the_standard_is_stored(desk: Desk, start_peer: Any, status: int) -> None:
    desk.queue(to(start_peer(lambda _, __: status)))
    desk.deliver()
    assert desk.states() == {"stored": 5}
    assert all("Warning" in words for words in desk.parcel_words())
    assert dead_letters(desk) == []


@pytest.mark.parametrize("status", [0x0110, 0x0210])
def test_a_failure_that_passes_is_tried_again(desk: Desk, start_peer: Any, status: int) -> None:
    peer = start_peer(lambda _, index: status if index in (0, 5, 6) else 0x0000)
    desk.queue(to(peer))
    for _ in range(4):
        desk.deliver()
        desk.now[0] += HOUR_S
    assert desk.states() == {"stored": 5}
    assert came(peer) == desk.sources + desk.results + 3 * desk.sources[:1]


def test_a_failure_that_stays_is_refused_after_five_attempts(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(lambda event, _: 0x0110 if event.request.AffectedSOPInstanceUID
                      == desk.sources[1] else 0x0000)  # fmt: skip
    desk.queue(to(peer))
    with desk.ledger.writing() as connection:  # a peer that was away for long
        connection.execute(update(deliveries).values(attempts=40))
    for attempt in range(5):
        assert desk.states() == ({"stored": 4, "waiting": 1} if attempt else {"waiting": 5})
        desk.deliver()
        desk.now[0] += HOUR_S
    assert desk.states() == {"stored": 4, "refused": 1}
    assert desk.parcel_words()[1] == "Error: processing failure (0x0110); tried 5 times"
    assert len(dead_letters(desk)) == 1


def test_a_class_that_the_peer_does_not_take_is_a_dead_letter_at_once(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer(sop_classes=(MR,))
    desk.queue(to(peer))
    desk.deliver()
    assert came(peer) == desk.sources
    assert desk.states() == {"stored": 4, "refused": 1}
    [words] = dead_letters(desk)
    assert "RT Structure Set Storage" in words


def test_it_is_one_at_once_although_images_have_to_wait(desk: Desk, start_peer: Any) -> None:
    desk.queue(to(start_peer(lambda _, __: 0xA700, sop_classes=(MR,))))
    desk.deliver()
    assert desk.states() == {"waiting": 4, "refused": 1}
    [words] = dead_letters(desk)
    assert "RT Structure Set Storage" in words
    desk.now[0] += HOUR_S
    desk.deliver()
    assert len(dead_letters(desk)) == 1


@pytest.mark.parametrize("associations", [1, 4])
def test_every_class_that_a_peer_does_not_take_is_named(
    desk: Desk, start_peer: Any, associations: int
) -> None:
    peer = start_peer(sop_classes=("1.2.840.10008.5.1.4.1.1.2",))
    of_peer = SEVERAL | {"port": peer.address.port, "associations": associations}
    desk.restart(peers=[of_peer | {"proof": "none"}])
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"refused": 5}
    [words] = dead_letters(desk)
    assert "MR Image Storage" in words
    assert "RT Structure Set Storage" in words


def test_images_that_a_peer_has_do_not_count_as_refused(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(lambda _, index: 0x0111 if index < 4 else 0x0000)
    desk.restart(delivery={"duplicate_is_stored": False})
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"stored": 5}


def test_a_result_that_a_peer_has_is_refused_if_duplicates_do_not_count(
    desk: Desk, start_peer: Any
) -> None:
    desk.restart(delivery={"duplicate_is_stored": False})
    desk.queue(to(start_peer(lambda _, index: 0x0111 if index == 4 else 0x0000)))
    desk.deliver()
    assert desk.states() == {"stored": 4, "refused": 1}


def test_a_peer_that_ends_the_association_at_images_gets_its_structure_set(
    desk: Desk, start_peer: Any
) -> None:
    """It has the images, and aborts as soon as one of them is sent again."""

    def abort_at_images(event: Any, _: int) -> int:
        if event.request.AffectedSOPClassUID == MR:
            event.assoc.abort()
        return 0x0000

    desk.queue(to(start_peer(abort_at_images)))
    for attempt in range(3):
        assert desk.states() == {"waiting": 5}, attempt
        desk.deliver()
        desk.now[0] += HOUR_S
    assert desk.states() == {"stored": 1, "waiting": 4}


def test_pauses_of_all_that_waits_begin_anew_after_an_attempt_that_brought_something(
    desk: Desk, start_peer: Any
) -> None:
    """The first instance fails before the others are stored."""
    desk.queue(to(start_peer(lambda _, index: 0xA700 if index == 0 else 0x0000)))
    with desk.ledger.writing() as connection:
        connection.execute(update(deliveries).values(attempts=50, created_at=0.0))
    desk.now[0] += 100 * HOUR_S
    desk.deliver()
    assert desk.states() == {"stored": 4, "waiting": 1}
    with desk.ledger.reading() as connection:
        next_at = connection.scalar(
            select(deliveries.c.next_attempt_at).where(deliveries.c.state == "waiting")
        )
    assert next_at is not None
    assert 24 <= next_at - desk.now[0] <= 36


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x0113, "Error: no such event type (0x0113)"),  # of storage commitment, too
        (0x0114, "Error: no such argument (0x0114)"),
        (0x0123, "Error: no such action (0x0123)"),
        (0xFE00, "Cancelled by the peer (0xFE00)"),
        (0xD000, "Error: status unknown to the standard (0xD000)"),
    ],
)
def test_statuses_of_the_standard_are_named_and_final(status: int, words: str) -> None:
    assert (state_of(status), words_of(status)) == (State.REFUSED, words)


def test_a_failure_says_what_the_peer_said(desk: Desk, start_peer: Any) -> None:
    desk.queue(to(start_peer(lambda _, index: 0x0110 if index == 4 else 0x0000)))
    desk.deliver()
    assert any("Error: processing failure (0x0110)" in words for words in told(desk))
