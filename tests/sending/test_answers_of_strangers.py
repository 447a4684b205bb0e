"""What other systems answer to requests of the node: public reports, tried."""

import socket
import struct
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from network.scu.c_find import found_instances
from network.scu.c_store import InstanceToSend, instance_to_send, send
from tests.sending.raw_scp import (
    COMMAND,
    LAST,
    P_DATA,
    RELEASE_RP,
    RELEASE_RQ,
    RawScp,
    Script,
    fragment,
)

CALLING = "SLICEWIRE"
WINDOW = struct.pack(">BBH", 0x53, 0, 4)


@pytest.fixture
def cine(cine_folder: Path) -> list[InstanceToSend]:
    return [instance_to_send(path) for path in sorted(cine_folder.glob("*.dcm"))[:6]]


class WindowOnly(RawScp):
    """Accepts an asynchronous operations window, and ends the association at its first request."""

    takes_several = True

    def __init__(self, script: Script, *, closes: bool) -> None:
        self.asked: list[bool] = []
        self._closes = closes
        super().__init__(script, window=0)

    def _run(self, script: Script) -> None:
        super()._run(self._end)
        self._window = 1
        if self.fault is None:
            super()._run(script)

    def _accept(self) -> None:
        self.asked.append(WINDOW in self.connection.recv(65_536, socket.MSG_PEEK))
        super()._accept()

    def _end(self, _: RawScp) -> None:
        self.read_pdu()
        if not self._closes:
            self.say(0x07, bytes(4))


@pytest.mark.parametrize("closes", [True, False])
def test_a_peer_that_does_not_serve_its_window_is_asked_without_one(
    cine: list[InstanceToSend], *, closes: bool
) -> None:
    """dcm4che#1120: the connection is dropped at the first request after such a negotiation."""

    def take(peer: RawScp) -> None:
        for _ in cine:
            peer.answer(peer.read_store()[0])
        peer.take_release()

    peer = WindowOnly(take, closes=closes)
    outcomes = send(cine, peer.address, CALLING)
    peer.close()
    assert [one.words for one in outcomes if not one.is_stored] == []
    assert [one.instance for one in outcomes] == cine
    assert peer.asked == [True, False]


def test_a_release_that_both_request_is_answered_and_waited_for(cine: list[InstanceToSend]) -> None:
    """pynetdicom#269: the acceptor requests the release at the same time (PS3.8 7.2.2.7)."""

    def take(peer: RawScp) -> None:
        peer.answer(peer.read_store()[0])
        assert peer.read_pdu()[0] == RELEASE_RQ
        peer.say(RELEASE_RQ, bytes(4))
        assert peer.read_pdu()[0] == RELEASE_RP
        peer.say(RELEASE_RP, bytes(4))

    peer = RawScp(take)
    [outcome] = send(cine[:1], peer.address, CALLING)
    peer.close()
    assert outcome.is_stored


def match(status: int, uid: str) -> bytes:
    """A C-FIND-RSP with an identifier, command and data set in one PDU."""
    numbers = {0x0100: 0x8020, 0x0120: 1, 0x0800: 0x0000, 0x0900: status}
    command = b"".join(struct.pack("<HHLH", 0, key, 2, value) for key, value in numbers.items())
    identifier = Dataset()
    identifier.SOPInstanceUID = uid
    content = encode(identifier, True, True) or b""
    return fragment(command, COMMAND | LAST) + fragment(content, LAST)


def test_an_identifier_in_the_last_answer_of_a_query_is_no_match() -> None:
    """pynetdicom#571: a success comes with the identifier of the pending answer before it."""

    def take(peer: RawScp) -> None:
        while peer.read_pdu()[1][5] != LAST:
            pass
        peer.say(P_DATA, match(0xFF00, "1.2.3"))
        peer.say(P_DATA, match(0x0000, "1.2.4"))
        peer.take_release()

    peer = RawScp(take)
    found = found_instances(
        peer.address, CALLING, study_instance_uid="1.2", series_instance_uid="1.2.1"
    )
    peer.close()
    assert found == {"1.2.3"}
