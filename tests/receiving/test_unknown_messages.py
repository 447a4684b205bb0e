"""Messages that no service knows get the status, or the abort, that PS3.7 has for them, at once."""

import struct
import time

import pytest
from pynetdicom import build_context

from tests.support.node_process import wait_until
from tests.support.peers import EXPLICIT, IMPLICIT, MR
from tests.support.raw_peer import (
    ABORTED,
    ACCEPTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    RELEASED,
    RawPeer,
    associate_rq,
    event_words,
    p_data,
    store_command,
)
from tests.support.receiver import Receiver

VERIFICATION = "1.2.840.10008.1.1"
CONTEXTS = [build_context(MR, [EXPLICIT]), build_context(VERIFICATION, [IMPLICIT])]
REQUESTS = {
    "C-GET": 0x0010,
    "C-FIND": 0x0020,
    "C-MOVE": 0x0021,
    "N-EVENT-REPORT": 0x0100,
    "N-GET": 0x0110,
    "N-SET": 0x0120,
    "N-ACTION": 0x0130,
    "N-CREATE": 0x0140,
    "N-DELETE": 0x0150,
    "nothing that is known": 0x0777,
}


def command(field: int, *, data_set: bool = False, **elements: int) -> bytes:
    """A command set; elements as `e0110=1`."""
    uid = MR.encode() + b"\0" * (len(MR) % 2)
    content = struct.pack("<HHL", 0, 2, len(uid)) + uid
    numbers = {0x0100: field, 0x0800: 1 if data_set else 0x0101}
    numbers |= {int(name[1:], 16): value for name, value in elements.items()}
    for number in sorted(numbers):
        content += struct.pack("<HHLH", 0, number, 2, numbers[number])
    return content


def value_of(answer: bytes, element: int) -> int:
    at = answer.index(struct.pack("<HHL", 0, element, 2)) + 8
    return int.from_bytes(answer[at : at + 2], "little")


def associated(receiver: Receiver) -> RawPeer:
    peer = RawPeer(receiver.address)
    peer.send(associate_rq(CONTEXTS))
    assert peer.answer() == ACCEPTED
    return peer


@pytest.mark.parametrize("data_set", [False, True])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_served_nowhere_is_answered_0x0211(
    receiver: Receiver, name: str, data_set: bool
) -> None:
    field, begun = REQUESTS[name], time.monotonic()
    with associated(receiver) as peer:
        peer.send(p_data(command(field, data_set=data_set, e0110=77), COMMAND | LAST))
        if data_set:
            peer.send(p_data(b"\x00" * 100, DATA | LAST))
        assert peer.answer() == P_DATA
        assert value_of(peer.last, 0x0900) == 0x0211
        assert value_of(peer.last, 0x0120) == 77
        assert value_of(peer.last, 0x0100) == field | 0x8000
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert time.monotonic() - begun < 60


def test_a_cancel_of_nothing_is_passed_over(receiver: Receiver) -> None:
    with associated(receiver) as peer:
        peer.send(p_data(command(0x0FFF, e0120=1), COMMAND | LAST) + RELEASE_RQ)
        assert peer.answer() == RELEASED


ABORTS = {
    "a response to nothing": (command(0x8001, e0120=1, e0900=0), "a response came"),
    "a request without a message ID": (
        command(0x0020),
        "a command 0x0020 request has no MessageID",
    ),
    "no command field": (command(0x0020)[:30], "its command set is"),
}


@pytest.mark.parametrize("name", ABORTS)
def test_what_cannot_be_answered_is_aborted_at_once(receiver: Receiver, name: str) -> None:
    content, words = ABORTS[name]
    with associated(receiver) as peer:
        peer.send(p_data(content, COMMAND | LAST))
        assert peer.answer() == ABORTED
    wait_until(lambda: bool(event_words(receiver, "bound")))
    assert words in event_words(receiver, "bound")[0]


@pytest.mark.parametrize(
    ("sop_class_uid", "context_id"), [(MR, 3), (VERIFICATION, 1), ("1.2.3", 1)]
)
def test_storing_what_is_no_storage_class_is_answered_0x0122(
    receiver: Receiver, sop_class_uid: str, context_id: int
) -> None:
    with associated(receiver) as peer:
        request = store_command("1.2.3", sop_class_uid=sop_class_uid)
        peer.send(p_data(request, COMMAND | LAST, context_id))
        peer.send(p_data(b"\x00" * 100, DATA | LAST, context_id))
        assert peer.answer() == P_DATA
        assert value_of(peer.last, 0x0900) == 0x0122
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert receiver.files() == []
