"""Each bound on what a peer sends: the node says no, says why, and goes on."""

import socket
import struct
import time

import psutil
import pydicom
import pytest
from pynetdicom import build_context

from core.config.wire import Wire
from network.upper_layer.association import Association, NotTakenError
from network.upper_layer.messages import MessageBounds
from network.upper_layer.negotiation import Agreement
from network.upper_layer.pdu_reader import PduReader
from network.upper_layer.pdus import longest_pdus
from tests.security.conftest import StartReceiver
from tests.support.node_process import wait_until
from tests.support.peers import EXPLICIT, MR, associate, encoded, store
from tests.support.raw_peer import (
    ABORTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    REJECTED,
    RawPeer,
    associate_rq,
    event_words,
    p_data,
    pdu,
    store_command,
)
from tests.support.receiver import Receiver


def wait_for_words(receiver: Receiver, words: str) -> None:
    wait_until(lambda: any(words in one for one in event_words(receiver, "bound")))


def goes_on(receiver: Receiver, instance: pydicom.FileDataset) -> bool:
    with associate(receiver.address) as association:
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    return int(answer.Status) == 0


@pytest.mark.parametrize("kind", [0x01, 0x04, 0x05])
def test_a_pdu_that_claims_4_gb_is_aborted_unread(
    start: StartReceiver, instance: pydicom.FileDataset, kind: int
) -> None:
    receiver = start()
    before = psutil.Process().memory_info().rss
    with RawPeer(receiver.address) as peer:
        if kind != 0x01:
            peer.associate()
        peer.send(pdu(kind, b"\x00" * 1000, claims=0xFFFFFFFF))
        assert peer.answer() == ABORTED
        assert peer.answer() == -1
    wait_for_words(receiver, f"PDU of type 0x{kind:02X} claims 4294967295 bytes, at most")
    assert psutil.Process().memory_info().rss - before < 50e6
    assert goes_on(receiver, instance)


def test_a_pdu_as_long_as_offered_is_taken_and_a_longer_one_is_not(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire={"maximum_pdu_bytes": 8192})
    with RawPeer(receiver.address) as peer:
        peer.associate()
        assert b"\x51\x00\x00\x04" + struct.pack(">L", 8192) in peer.last  # PS3.8 Annex D.1
        peer.send(p_data(store_command(), COMMAND | LAST))
        peer.send(p_data(b"\x00" * (8192 - 6), DATA))
        peer.send(p_data(b"\x00" * 10_000, DATA))
        assert peer.answer() == ABORTED
    wait_for_words(receiver, "PDU of type 0x04 claims 10006 bytes, at most 9216 are read")


def test_a_pdu_of_unknown_type_is_aborted(start: StartReceiver) -> None:
    receiver = start()
    with RawPeer(receiver.address).associate() as peer:
        peer.send(pdu(0x42, b"1234"))
        assert peer.answer() == ABORTED
    wait_for_words(receiver, "PDU of unknown type 0x42")


def test_an_association_request_that_is_too_long_is_aborted(start: StartReceiver) -> None:
    receiver = start(wire={"maximum_request_bytes": 4096})
    contexts = [build_context(MR, [EXPLICIT]) for _ in range(100)]
    with RawPeer(receiver.address) as peer:
        peer.send(associate_rq(contexts))
        assert peer.answer() == ABORTED
    wait_for_words(receiver, "at most 4096 are read")


def test_too_many_presentation_contexts_are_rejected(start: StartReceiver) -> None:
    receiver = start(wire={"maximum_contexts": 5})
    contexts = [build_context(MR, [EXPLICIT]) for _ in range(6)]
    with RawPeer(receiver.address) as peer:
        peer.send(associate_rq(contexts))
        assert peer.answer() == REJECTED
    wait_until(lambda: event_words(receiver, "rejected") == ["6 presentation contexts, at most 5"])


def test_a_command_set_that_never_ends_is_aborted(start: StartReceiver) -> None:
    receiver = start(wire={"maximum_command_bytes": 4096})
    with RawPeer(receiver.address).associate() as peer:
        for _ in range(5):
            peer.send(p_data(b"\x00" * 1000, COMMAND))
        assert peer.answer() == ABORTED
    wait_for_words(receiver, "a command set is longer than 4096 bytes")


@pytest.mark.parametrize("content", [b"", b"\x00"])
def test_a_command_set_in_thousands_of_fragments_is_aborted(
    start: StartReceiver, content: bytes
) -> None:
    receiver = start(wire={"maximum_command_bytes": 4096})
    fragment = struct.pack(">LBB", len(content) + 2, 1, COMMAND) + content
    with RawPeer(receiver.address).associate() as peer:
        peer.send(pdu(P_DATA, fragment * 30_000))
        assert peer.answer() == ABORTED
    wait_for_words(receiver, "a command set is longer than 4096 bytes")


def test_a_fragment_that_never_ends_is_aborted_at_the_longest_instance(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire={"maximum_instance_mb": 2})
    fragment = p_data(b"\x00" * 200_000, DATA)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(p_data(store_command(), COMMAND | LAST))
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                peer.send(fragment)
    wait_for_words(receiver, "a data set is longer than 2 MB")
    assert receiver.files() == []
    assert goes_on(receiver, instance)


def test_who_says_nothing_is_let_go(start: StartReceiver) -> None:
    receiver = start(wire={"associate_timeout_s": 0.5})
    with RawPeer(receiver.address) as peer:
        assert peer.answer() == ABORTED
        assert peer.answer() == -1
    wait_for_words(receiver, "an association request was expected: a PDU was not whole in time")


@pytest.mark.parametrize("is_associated", [False, True])
def test_who_sends_a_byte_at_a_time_has_only_so_long(
    start: StartReceiver, is_associated: bool
) -> None:
    receiver = start(wire={f"{'pdu' if is_associated else 'associate'}_timeout_s": 0.6})
    with RawPeer(receiver.address) as peer:
        slow = p_data(b"\x00" * 1000, DATA) if is_associated else associate_rq()
        if is_associated:
            peer.associate()
        with pytest.raises(ConnectionError):
            for byte in slow:
                peer.send(bytes([byte]))
                time.sleep(0.05)
    wait_for_words(receiver, "a PDU was not whole in time")


def test_an_association_on_which_nothing_comes_is_aborted(start: StartReceiver) -> None:
    receiver = start(wire={"idle_timeout_s": 0.5})
    with RawPeer(receiver.address).associate() as peer:
        assert peer.answer() == ABORTED
    wait_for_words(receiver, "127.0.0.1: nothing came for 0.5 s")


def test_one_association_more_than_all_together_is_rejected_for_now(start: StartReceiver) -> None:
    receiver = start(wire={"maximum_associations": 2, "maximum_associations_per_address": 5})
    with RawPeer(receiver.address) as one, RawPeer(receiver.address) as two:
        one.associate()
        two.associate()
        with RawPeer(receiver.address) as third:
            third.send(associate_rq())
            assert third.answer() == REJECTED
            assert tuple(third.last[1:]) == (2, 3, 2)  # result, source, reason
    words = "2 associations are open, as many as are allowed"
    wait_until(lambda: event_words(receiver, "rejected") == [words])


def test_an_association_whose_peer_takes_no_answer_is_ended_with_words(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire={"pdu_timeout_s": 2})
    for one in receiver.listener._listeners:  # little fits into what the systems keep
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
    rubbish = p_data(store_command(), COMMAND | LAST) + p_data(b"", DATA | LAST)
    with RawPeer(receiver.address).associate() as peer:
        peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        with pytest.raises(ConnectionError):
            while True:
                peer.send(rubbish * 100)
    wait_for_words(receiver, "an answer was not taken within 2 s")
    assert goes_on(receiver, instance)


def test_a_peer_that_does_not_read_holds_an_answer_for_only_so_long() -> None:
    ours, theirs = socket.socketpair()
    association = Association(
        ours,
        PduReader(ours, longest_pdus(Wire()), timeout_s=0.3),
        Agreement("TPS", "SLICEWIRE", {}),
        bounds=MessageBounds(),
        write_timeout_s=0.3,
    )
    begun = time.monotonic()
    with pytest.raises(NotTakenError, match=r"an answer was not taken within 0\.3 s"):
        while time.monotonic() < begun + 60:
            association.write(b"\x00" * 100_000)
    theirs.close()
    association.close()
