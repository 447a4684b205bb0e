"""A release completes nothing that was half here; who ended an association, and why, is told."""

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom.dsutils import encode
from sqlalchemy import Row

from core.errors import StorageUnavailableError
from node.ledger.row_states import EndCause
from node.ledger.schema import associations
from node.scp.instance_store import InstanceStore
from tests.support.node_process import wait_until
from tests.support.peers import MR, encoded
from tests.support.raw_peer import (
    ABORT_RQ,
    ABORTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    RELEASED,
    RawPeer,
    p_data,
    pdu,
    store_command,
)
from tests.support.receiver import Receiver, StartWithWire, receivers_with_wire

STORE = p_data(store_command(), COMMAND | LAST)
FRAGMENT = p_data(b"\x00" * 1000, DATA)
LARGE = p_data(b"\x00" * 200_000, DATA) * 8
HALVES = {
    "half a command": (p_data(store_command()[:20], COMMAND), "half a command set"),
    "an empty fragment of a command": (p_data(b"", COMMAND), "half a command set"),
    "a whole command": (STORE, "a command set without its data set"),
    "half a data set in memory": (STORE + FRAGMENT, "half a data set (1000 bytes)"),
    "half a data set in a file": (STORE + LARGE, "half a data set (1600000 bytes)"),
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartWithWire]:
    """Starts a listener with keys of the wire."""
    with receivers_with_wire(tmp_path) as begin:
        yield begin


@pytest.fixture
def whole(cine_folder: Path) -> bytes:
    """A C-STORE request with all of its data set."""
    instance = pydicom.dcmread(cine_folder / "9.dcm")
    command = p_data(store_command(str(instance.SOPInstanceUID)), COMMAND | LAST)
    return command + p_data(encoded(instance), DATA | LAST)


def end_of(receiver: Receiver) -> Row[Any]:
    """What the ledger tells of the association, once that is over."""

    def is_over() -> bool:
        receiver.listener.reap()
        return bool(receiver.ended)

    wait_until(is_over)
    with receiver.ledger.reading() as connection:
        [row] = connection.execute(associations.select()).all()
    return row


@pytest.mark.parametrize("name", HALVES)
def test_a_release_in_the_middle_of_a_message_is_no_release(
    start: StartWithWire, whole: bytes, name: str
) -> None:
    receiver, (sent, half) = start(), HALVES[name]
    with RawPeer(receiver.address).associate() as peer:
        peer.send(whole)
        assert peer.answer() == P_DATA
        peer.send(sent + RELEASE_RQ)
        assert peer.answer() == ABORTED
    row = end_of(receiver)
    assert receiver.ended[0][1] == "aborted"
    assert (row.cause, row.is_half) == (EndCause.HALF, True)
    words = f"by the peer, which released it in the middle of a message, with {half} received"
    assert row.reason == words
    assert len(receiver.files()) == 1


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("way", ["abort", "close", "reset"])
def test_a_peer_that_goes_within_a_message_has_cut_it_off(
    start: StartWithWire, name: str, way: str
) -> None:
    receiver, (sent, half) = start(), HALVES[name]
    with RawPeer(receiver.address).associate() as peer:
        peer.send(sent + (ABORT_RQ if way == "abort" else b""))
        if way != "abort":
            time.sleep(0.2)
        peer.reset() if way == "reset" else peer.connection.close()
    row = end_of(receiver)
    assert receiver.ended[0][1] == "aborted"
    assert (row.cause, row.is_half) == (EndCause.ABORT if way == "abort" else EndCause.LOST, True)
    assert row.reason.endswith(f", with {half} received")


def test_a_release_between_messages_is_one(start: StartWithWire, whole: bytes) -> None:
    receiver = start()
    with RawPeer(receiver.address).associate() as peer:
        peer.send(whole)
        assert peer.answer() == P_DATA
        peer.send(RELEASE_RQ + RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert receiver.ended == [(1, "released")]
    assert (end_of(receiver).cause, end_of(receiver).reason) == ("", "")


def test_what_was_sent_ahead_of_a_release_is_stored_before_it(
    start: StartWithWire, cine_folder: Path
) -> None:
    receiver = start()
    stream = b""
    for path in sorted(cine_folder.glob("*.dcm"))[:6]:
        instance = pydicom.dcmread(path)
        stream += p_data(store_command(str(instance.SOPInstanceUID)), COMMAND | LAST)
        stream += p_data(encoded(instance), DATA | LAST)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(stream + RELEASE_RQ)
        assert [peer.answer() for _ in range(7)] == [P_DATA] * 6 + [RELEASED]
        assert receiver.ended == [(1, "released")]
    assert len(receiver.files()) == 6


def test_a_command_that_announces_no_data_set_is_refused(start: StartWithWire) -> None:
    """Its instance is not here, whatever the release says."""
    receiver, command = start(), pydicom.Dataset()
    command.AffectedSOPClassUID, command.CommandField, command.MessageID = MR, 0x0001, 1
    command.CommandDataSetType, command.AffectedSOPInstanceUID = 0x0101, "1.2.3"
    with RawPeer(receiver.address).associate() as peer:
        peer.send(p_data(encode(command, True, True) or b"", COMMAND | LAST))
        assert peer.answer() == P_DATA
        assert b"\x00\x00\x00\x09\x02\x00\x00\x00" + struct.pack("<H", 0xC000) in peer.last
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert [one.sop_instance_uid for one in receiver.refused] == ["1.2.3"]


def test_a_command_that_cannot_be_answered_is_no_whole_message(start: StartWithWire) -> None:
    receiver, command = start(), pydicom.Dataset()
    command.AffectedSOPClassUID, command.CommandField = MR, 0x0001
    command.CommandDataSetType, command.AffectedSOPInstanceUID = 0x0101, "1.2.3"
    with RawPeer(receiver.address).associate() as peer:
        peer.send(p_data(encode(command, True, True) or b"", COMMAND | LAST) + RELEASE_RQ)
        assert peer.answer() == ABORTED
    words = "by the node, as a C-STORE request has no MessageID"
    assert end_of(receiver).reason.startswith(words)  # the release may be here in part by then


def test_a_fault_while_an_instance_is_stored_is_a_refusal(
    start: StartWithWire, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = start()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(InstanceStore, "receive", fail)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(whole)
        assert peer.answer() == P_DATA
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert [one.words for one in receiver.refused] == ["0xC211, it could not be stored"]


def test_an_idle_association_is_ended_by_the_node(start: StartWithWire, whole: bytes) -> None:
    receiver = start(idle_timeout_s=0.5)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(whole)
        assert [peer.answer(), peer.answer()] == [P_DATA, ABORTED]
        peer.send(RELEASE_RQ)  # too late: the node has aborted
    row = end_of(receiver)
    assert (row.cause, row.is_half) == (EndCause.IDLE, False)
    assert row.reason == "by the node, nothing came for 0.5 s"
    assert 0.5 <= row.quiet_s < 5


def test_an_association_that_is_idle_within_a_message_says_so(start: StartWithWire) -> None:
    receiver = start(idle_timeout_s=0.5)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(STORE)
        assert peer.answer() == ABORTED
    row = end_of(receiver)
    assert (row.cause, row.is_half) == (EndCause.IDLE, True)


@pytest.mark.parametrize("sent", [b"", STORE + FRAGMENT, FRAGMENT[:3]])
def test_a_stop_ends_what_is_open_and_says_whether_a_message_was_half_here(
    start: StartWithWire, sent: bytes
) -> None:
    receiver = start()
    with RawPeer(receiver.address).associate() as peer:
        peer.send(sent)
        time.sleep(0.3)
        receiver.listener.stop()
        row = end_of(receiver)
    assert (row.cause, row.is_half) == (EndCause.STOP, bool(sent))
    assert row.reason.startswith("by the node, which was stopped")
    assert row.quiet_s >= 0.2


BEYOND = {
    "PDU of unknown type 0x42": pdu(0x42, b"1234"),
    "a data set is longer than 1 MB": STORE + LARGE,
    "a PDU or a message came that has no place there": pdu(0x02, b"\x00" * 68),
}


@pytest.mark.parametrize("words", BEYOND)
def test_a_bound_that_was_exceeded_is_told(start: StartWithWire, words: str) -> None:
    receiver = start(maximum_instance_mb=1)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(BEYOND[words] + RELEASE_RQ)
        assert peer.answer() == ABORTED
    row = end_of(receiver)
    assert receiver.ended[0][1] == "aborted"
    assert row.cause == EndCause.BOUND
    assert row.reason.startswith("by the node, as ")


@pytest.mark.parametrize("error", [StorageUnavailableError, ValueError])
def test_a_release_that_cannot_be_recorded_is_ended_by_the_node(
    start: StartWithWire, whole: bytes, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    receiver = start()
    record = receiver.listener._on_end

    def fail(*_: object) -> None:
        raise error("The ledger failed: disk is full")

    monkeypatch.setattr(receiver.listener, "_on_end", fail)
    with RawPeer(receiver.address).associate() as peer:
        peer.send(whole)
        assert peer.answer() == P_DATA
        peer.send(RELEASE_RQ)
        assert peer.answer() == -1
    monkeypatch.setattr(receiver.listener, "_on_end", record)
    row = end_of(receiver)
    assert (receiver.ended[0][1], row.cause) == ("aborted", EndCause.STORAGE)
    assert row.reason == "by the node, which could not record the release"
