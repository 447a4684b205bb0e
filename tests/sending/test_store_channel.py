"""Peers that behave oddly on an open association: each instance has its outcome, the right one."""

import re
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pynetdicom.dsutils import split_dataset

from network.scu.c_store import InstanceToSend, State, Timeouts, instance_to_send, send
from tests.sending.conftest import StartRaw
from tests.sending.raw_scp import ABORT, COMMAND, P_DATA, RELEASE_RQ, RawScp, fragment, response
from tests.support.left_behind import Before
from tests.support.node_process import wait_until

CALLING = "SLICEWIRE"


@pytest.fixture
def cine(cine_folder: Path) -> list[InstanceToSend]:
    """Six instances of one series."""
    return [instance_to_send(path) for path in sorted(cine_folder.glob("*.dcm"))[:6]]


def data_set_of(instance: InstanceToSend) -> bytes:
    return instance.path.read_bytes()[split_dataset(instance.path)[1] :]


@pytest.mark.parametrize("maximum_length", [4096, 16_384, 131_072, 0])
def test_the_peer_gets_pdus_as_long_as_it_takes(
    start_raw: StartRaw, cine: list[InstanceToSend], maximum_length: int
) -> None:
    got: list[tuple[str, bytes]] = []

    def take(peer: RawScp) -> None:
        for _ in cine:
            message_id, uid, data_set = peer.read_store()
            got.append((uid, data_set))
            peer.answer(message_id)
        peer.take_release()

    peer = start_raw(take, maximum_length=maximum_length)
    outcomes = send(cine, peer.address, CALLING)
    assert {one.state for one in outcomes} == {State.STORED}
    assert got == [(one.sop_instance_uid, data_set_of(one)) for one in cine]
    assert max(peer.lengths) <= (maximum_length or 1 << 20)
    assert max(peer.lengths) > min(maximum_length or 100_000, 100_000) - 8


def test_without_a_window_one_request_is_open(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    def take(peer: RawScp) -> None:
        for _ in cine[:2]:
            message_id, _, _ = peer.read_store()
            assert peer.hears_nothing_for(0.3)
            peer.answer(message_id)
        peer.take_release()

    assert send(cine[:2], start_raw(take).address, CALLING)[1].is_stored


def test_with_a_window_answers_may_come_in_any_order(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    def take(peer: RawScp) -> None:
        for _ in range(2):
            numbers = [peer.read_store()[0] for _ in range(3)]
            assert peer.hears_nothing_for(0.2)
            for number in reversed(numbers):
                peer.answer(number, 0xA700 + number)
        peer.take_release()

    seen: list[int | None] = []
    peer = start_raw(take, window=3)
    outcomes = send(cine, peer.address, CALLING, on_outcome=lambda one: seen.append(one.status))
    assert [one.status for one in outcomes] == [0xA700 + number for number in range(1, 7)]
    assert [one.instance for one in outcomes] == cine
    assert seen == [0xA700 + number for number in (3, 2, 1, 6, 5, 4)]


def test_a_window_of_any_number_is_kept_to_what_was_proposed(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    many = cine * 4

    def take(peer: RawScp) -> None:
        numbers = [peer.read_store()[0] for _ in range(16)]
        assert peer.hears_nothing_for(0.2)
        while numbers:
            peer.answer(numbers.pop())
        for _ in many[16:]:
            peer.answer(peer.read_store()[0])
        peer.take_release()

    outcomes = send(many, start_raw(take, window=0).address, CALLING)
    assert len(outcomes) == 24
    assert all(one.is_stored for one in outcomes)


def test_a_structure_set_never_overtakes_its_images(
    start_raw: StartRaw, cine: list[InstanceToSend], ct_structure_set: Path
) -> None:
    def take(peer: RawScp) -> None:
        numbers = [peer.read_store()[0] for _ in range(2)]
        peer.answer(numbers[1])
        assert peer.hears_nothing_for(0.3)
        peer.answer(numbers[0])
        peer.answer(peer.read_store()[0])
        peer.take_release()

    instances = [*cine[:2], instance_to_send(ct_structure_set)]
    outcomes = send(instances, start_raw(take, window=8).address, CALLING)
    assert [one.is_stored for one in outcomes] == [True] * 3


def test_what_is_open_when_the_association_ends_is_unknown(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    def take(peer: RawScp) -> None:
        numbers = [peer.read_store()[0] for _ in range(3)]
        peer.answer(numbers[1])
        peer.say(ABORT, bytes(4))

    outcomes = send(cine, start_raw(take, window=3).address, CALLING)
    unknown = ["unknown" in one.words for one in outcomes]
    assert [one.is_stored for one in outcomes] == [False, True] + [False] * 4
    assert unknown[0] and unknown[2] and not unknown[1] and not unknown[5]


def test_an_answer_to_no_request_is_not_taken_for_one(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    def take(peer: RawScp) -> None:
        peer.answer(peer.read_store()[0])
        peer.read_store()
        peer.answer(1)  # once more
        assert peer.read_pdu()[0] == ABORT

    outcomes = send(cine, start_raw(take).address, CALLING)
    assert [one.is_stored for one in outcomes] == [True] + [False] * 5
    assert "answered request 1, open are 2" in outcomes[1].words


@pytest.mark.parametrize(
    "parts",
    [
        [fragment(response(1, 0)[:10], COMMAND), fragment(response(1, 0)[10:])],
        [fragment(response(1, 0)[:10], COMMAND) + fragment(response(1, 0)[10:])],
        [fragment(b"", 0x00) + fragment(response(1, 0)), fragment(b"data", 0x02)],
    ],
)
def test_an_answer_may_come_in_parts(
    start_raw: StartRaw, cine: list[InstanceToSend], parts: list[bytes]
) -> None:
    def take(peer: RawScp) -> None:
        peer.read_store()
        for part in parts:
            peer.say(P_DATA, part)
            time.sleep(0.02)
        peer.take_release()

    assert send(cine[:1], start_raw(take).address, CALLING)[0].is_stored


IN_TWO_CONTEXTS = fragment(response(1, 0)[:10], COMMAND) + fragment(
    response(1, 0)[10:], context_id=3
)


@pytest.mark.parametrize(
    ("kind", "content", "claims", "words"),
    [
        (ABORT, b"\0\0\0\0", None, r"PEER at \S+ aborted the association \(its user\)"),
        (ABORT, b"\0\0\2\1", None, r"aborted the association \(its network layer\)"),
        (RELEASE_RQ, bytes(4), None, "released the association before it had answered"),
        (P_DATA, b"", 0xFFFFFFFF, "PDU of type 0x04 claims 4294967295 bytes"),
        (0x77, b"what", None, "broke the protocol: PDU of unknown type 0x77"),
        (P_DATA, fragment(b"no command"), None, "its command set is cut off"),
        (P_DATA, fragment(response(1, 0).replace(b"\x01\x80", b"\x30\x80")), None, "0x8030"),
        (P_DATA, fragment(response(1, 0)), 200, "closed the connection"),
        (P_DATA, IN_TWO_CONTEXTS, None, "a fragment of presentation context 3 in a message of 1"),
    ],
)
def test_what_a_peer_says_in_place_of_an_answer_is_named(
    start_raw: StartRaw,
    cine: list[InstanceToSend],
    kind: int,
    content: bytes,
    claims: int | None,
    words: str,
) -> None:
    def take(peer: RawScp) -> None:
        peer.read_store()
        peer.say(kind, content, claims=claims)

    outcomes = send(cine, start_raw(take).address, CALLING)
    assert {one.state for one in outcomes} == {State.NOT_SENT}
    assert re.search(words, outcomes[0].words), outcomes[0].words
    assert "whether this instance was stored is unknown" in outcomes[0].words


def test_a_command_set_without_an_end_ends_the_association(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    def take(peer: RawScp) -> None:
        peer.read_store()
        with suppress(OSError):
            while True:
                peer.say(P_DATA, fragment(bytes(10_000), COMMAND))

    outcomes = send(cine[:1], start_raw(take).address, CALLING)
    assert "a command set is longer than 65536 bytes" in outcomes[0].words


def talk_until_closed(peer: RawScp) -> None:
    """Faster than it is read: there is always something more."""
    nothing = fragment(b"", 0x00)
    many = 10_000 * (struct.pack(">BBL", P_DATA, 0, len(nothing)) + nothing)
    with suppress(OSError):
        while True:
            peer.connection.sendall(many)


def test_a_peer_that_talks_on_without_an_answer_is_not_listened_to_for_ever(
    start_raw: StartRaw, cine: list[InstanceToSend], impatient: Timeouts
) -> None:
    def take(peer: RawScp) -> None:
        peer.read_store()
        talk_until_closed(peer)

    outcomes = send(cine[:1], start_raw(take).address, CALLING, timeouts=impatient)
    assert "did not answer within 1 s" in outcomes[0].words


def test_a_peer_that_talks_on_instead_of_releasing_is_left(
    start_raw: StartRaw, cine: list[InstanceToSend]
) -> None:
    def take(peer: RawScp) -> None:
        peer.answer(peer.read_store()[0])
        assert peer.read_pdu()[0] == RELEASE_RQ
        talk_until_closed(peer)

    timeouts = Timeouts(associate_s=4.0)
    outcomes = send(cine[:1], start_raw(take).address, CALLING, timeouts=timeouts)
    assert outcomes[0].is_stored


def test_nothing_is_left_after_sending(start_raw: StartRaw, cine: list[InstanceToSend]) -> None:
    def take(peer: RawScp) -> None:
        for _ in cine:
            peer.answer(peer.read_store()[0])
        peer.take_release()

    before = Before()
    for _ in range(3):
        peer = start_raw(take)
        assert send(cine, peer.address, CALLING)[5].is_stored
        peer.close()
    wait_until(lambda: not before.threads() and not before.files())
