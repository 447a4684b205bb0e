"""What other systems send to the node, and how they end it: public reports, tried."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pynetdicom import build_context

from tests.support.node_process import wait_until
from tests.support.peers import IMPLICIT, encoded
from tests.support.raw_peer import (
    ABORT_RQ,
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
    p_data,
    store_command,
)
from tests.support.receiver import StartWithWire, receivers_with_wire

VERIFICATION = "1.2.840.10008.1.1"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartWithWire]:
    """Starts a listener with keys of the wire."""
    with receivers_with_wire(tmp_path) as begin:
        yield begin


def echo_without_a_class() -> bytes:
    numbers = {0x0100: 0x0030, 0x0110: 9, 0x0800: 0x0101}
    elements = (struct.pack("<HHLH", 0, key, 2, value) for key, value in numbers.items())
    return p_data(b"".join(elements), COMMAND | LAST)


def test_an_echo_that_names_no_class_is_answered(start: StartWithWire) -> None:
    """go-netdicom#11: Orthanc aborts it, as DCMTK cannot read the command set."""
    with RawPeer(start().address).associate() as peer:
        peer.send(echo_without_a_class())
        assert peer.answer() == P_DATA
        assert struct.pack("<HHLH", 0, 0x0900, 2, 0) in peer.last
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED


def test_an_association_without_a_context_is_accepted_and_released(start: StartWithWire) -> None:
    """pynetdicom#37, #197, dcm4che#840: none of the proposed contexts can be accepted."""
    with RawPeer(start().address) as peer:
        peer.send(associate_rq([build_context("1.2.3.4", [IMPLICIT])]))
        assert peer.answer() == ACCEPTED
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED


def test_a_second_association_on_a_connection_is_none(start: StartWithWire) -> None:
    """fo-dicom#896: the requestor goes on with the connection of an association it released."""
    receiver = start()
    with RawPeer(receiver.address).associate() as peer:
        peer.send(RELEASE_RQ + associate_rq())
        assert [peer.answer(), peer.answer()] == [RELEASED, -1]
    assert receiver.ended == [(1, "released")]


def test_an_abort_right_behind_the_request_leaves_nothing(start: StartWithWire) -> None:
    """pynetdicom#721: the requestor does not wait for the answer (PS3.8 Table 9-10, Sta3)."""
    receiver = start(maximum_associations=1)
    with RawPeer(receiver.address) as peer:
        peer.send(associate_rq() + ABORT_RQ)
        assert [peer.answer(), peer.answer()] == [ACCEPTED, -1]
    wait_until(lambda: receiver.listener.reap() > 0 or receiver.ended != [])
    assert [outcome for _, outcome in receiver.ended] == ["aborted"]
    with RawPeer(receiver.address).associate():
        pass


def test_a_connection_that_the_peer_keeps_after_an_abort_is_closed(start: StartWithWire) -> None:
    """pynetdicom#194, #979: its peer never closes, and its places for associations run out."""
    receiver = start(idle_timeout_s=0.2, maximum_associations=1)
    with RawPeer(receiver.address).associate() as peer:
        assert peer.answer() == ABORTED
        assert peer.answer() == -1
        wait_until(lambda: receiver.listener.reap() > 0 or receiver.ended != [])
        with RawPeer(receiver.address).associate():
            pass


def test_what_a_peer_sent_before_it_closed_its_half_is_stored_and_answered(
    start: StartWithWire, cine_folder: Path
) -> None:
    """A requestor that sends no more, and still reads."""
    receiver, instance = start(), pydicom.dcmread(cine_folder / "9.dcm")
    with RawPeer(receiver.address).associate() as peer:
        peer.send(p_data(store_command(str(instance.SOPInstanceUID)), COMMAND | LAST))
        peer.send(p_data(encoded(instance), DATA | LAST) + RELEASE_RQ)
        peer.connection.shutdown(socket.SHUT_WR)
        assert [peer.answer(), peer.answer()] == [P_DATA, RELEASED]
    assert receiver.ended == [(1, "released")]
    assert len(receiver.files()) == 1
