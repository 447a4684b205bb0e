"""No sender waits for an acknowledgement that the system would hold back."""

import socket
import statistics
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from core.config.wire import Wire
from core.errors import BoundError
from network.upper_layer.pdu_reader import PduReader
from network.upper_layer.pdus import longest_pdus
from tests.support.peers import encoded
from tests.support.raw_peer import COMMAND, DATA, LAST, P_DATA, RawPeer, p_data, pdu, store_command
from tests.support.receiver import Receiver


def seconds_per_instance(
    receiver: Receiver, instance: pydicom.FileDataset, *, no_delay: bool
) -> float:
    """Of a sender that writes each message in two parts, as DCMTK does."""
    taken = []
    with RawPeer(receiver.address).associate() as peer:
        peer.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(no_delay))
        for _ in range(12):
            instance.SOPInstanceUID = generate_uid()
            command = p_data(store_command(instance.SOPInstanceUID), COMMAND | LAST)
            data = p_data(encoded(instance)[:-131_072] + bytes(131_072), DATA | LAST)
            begun = time.perf_counter()
            for part in (command[:12], command[12:], data[:12], data[12:]):
                peer.send(part)
            assert peer.answer() == P_DATA
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="the system has no TCP_QUICKACK")
def test_a_sender_with_nagles_algorithm_is_about_as_fast(
    receiver: Receiver, cine_folder: Path
) -> None:
    """Held back, two acknowledgements of 40 ms each would be waited for."""
    instance = pydicom.dcmread(cine_folder / "9.dcm")

    def is_as_fast() -> bool:
        without = seconds_per_instance(receiver, instance, no_delay=True)
        return seconds_per_instance(receiver, instance, no_delay=False) < without + 0.05

    assert any(is_as_fast() for _ in range(5))  # a busy machine may hold one up, not all


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def reader_of(connection: socket.socket) -> PduReader:
    wire = Wire(maximum_pdu_bytes=100_000)
    return PduReader(connection, longest_pdus(wire), timeout_s=0.3)


def test_pdus_that_come_together_are_read_one_by_one(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    sent = [pdu(P_DATA, bytes([number]) * size) for number, size in enumerate((1, 9000, 50_000, 7))]
    theirs.sendall(b"".join(sent))
    reader = reader_of(ours)
    assert [bytes(reader.next(1.0) or b"") for _ in sent] == sent
    assert reader.next(0.0) is None
    assert not reader.has_partial_pdu


def test_nothing_is_read_of_a_pdu_that_claims_too_much(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(struct.pack(">BBL", P_DATA, 0, 200_000))
    with pytest.raises(BoundError, match="claims 200000 bytes, at most 101024 are read"):
        reader_of(ours).next(1.0)


def test_half_a_pdu_is_waited_for_only_so_long(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(pdu(P_DATA, bytes(100))[:50])
    with pytest.raises(BoundError, match="not whole in time"):
        reader_of(ours).next(1.0)


def test_a_pdu_has_to_be_whole_within_the_time_for_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(pdu(P_DATA, bytes(100))[:50])
    begun = time.monotonic()
    with pytest.raises(BoundError, match="not whole in time"):
        reader_of(ours).next(200.0, within_s=0.1)
    assert time.monotonic() - begun < 60


def test_a_connection_that_ends_is_told_of(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[1].close()
    with pytest.raises(ConnectionResetError):
        reader_of(pair[0]).next(1.0)
