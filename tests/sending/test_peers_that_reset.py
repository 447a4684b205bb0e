"""A peer that resets the connection in each state of an association that we asked for.

The requestor's states of PS3.8 section 9.2: Sta5 (the answer to our request is awaited), Sta6
(established) before, within and after each message, Sta7 (the answer to our release is awaited).
"""

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from core.errors import SendError
from network.scu.c_store import InstanceToSend, State, echo, instance_to_send, send
from tests.sending.raw_scp import P_DATA, RELEASE_RQ, RawScp, Script, fragment, response
from tests.support.left_behind import Before
from tests.support.node_process import wait_until

CALLING = "SLICEWIRE"
HEADER = struct.Struct(">BBL")


class FromTheBeginning(RawScp):
    """Its script accepts the association, or does not."""

    def _accept(self) -> None:
        """Left to the script."""

    def accept(self) -> None:
        super()._accept()


def reset(peer: RawScp) -> None:
    """End the connection by a reset in place of a good-bye."""
    linger = struct.pack("ii", 1, 0)
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.connection.close()


def unread(peer: RawScp) -> None:
    time.sleep(0.05)
    reset(peer)


def negotiating(part: bytes) -> Script:
    def script(peer: RawScp) -> None:
        peer.read_pdu()
        peer.connection.sendall(part)
        time.sleep(0.05)
        reset(peer)

    return script


def established(then: Callable[[RawScp], object]) -> Script:
    def script(peer: RawScp) -> None:
        assert isinstance(peer, FromTheBeginning)
        peer.accept()
        then(peer)
        reset(peer)

    return script


def answer(part: slice) -> Callable[[RawScp], object]:
    """A part of the PDU of the first answer."""

    def then(peer: RawScp) -> None:
        content = fragment(response(peer.read_store()[0], 0))
        peer.connection.sendall((HEADER.pack(P_DATA, 0, len(content)) + content)[part])
        time.sleep(0.05)

    return then


def releasing(part: bytes) -> Callable[[RawScp], object]:
    """All are answered, the release is not, or not to its end."""

    def then(peer: RawScp) -> None:
        while (kind := peer.peek()) == P_DATA:
            peer.answer(peer.read_store()[0])
        assert kind == RELEASE_RQ
        peer.read_pdu()
        peer.connection.sendall(part)

    return then


BEFORE = {
    "nothing is read yet": unread,
    "the answer is awaited": negotiating(b""),
    "half an answer's header is here": negotiating(b"\x02\x00\x00"),
    "half an answer is here": negotiating(HEADER.pack(2, 0, 180) + b"\x00\x01" + bytes(60)),
}
WITHIN = {
    "established": established(lambda peer: time.sleep(0.05)),
    "within a header": established(lambda peer: peer.read(3)),
    "within a command": established(lambda peer: peer.read(40)),
    "between command and data set": established(lambda peer: peer.read_pdu()),
    "within a data set": established(lambda peer: [peer.read_pdu() for _ in range(3)]),
    "a response is awaited": established(lambda peer: peer.read_store()),
    "within the header of a response": established(answer(slice(3))),
    "within a response": established(answer(slice(20))),
}
AFTER = {
    "the release is asked for": established(releasing(b"")),
    "within the answer to it": established(releasing(b"\x06\x00\x00")),
}


@pytest.fixture
def cine(cine_folder: Path, tmp_path: Path) -> list[InstanceToSend]:
    """Three instances; the first is larger than what the systems keep of a connection."""
    large = pydicom.dcmread(cine_folder / "9.dcm")
    large.NumberOfFrames, large.PixelData = 100, large.PixelData * 100
    large.save_as(tmp_path / "large.dcm")
    small = sorted(cine_folder.glob("*.dcm"))[:2]
    return [instance_to_send(path) for path in (tmp_path / "large.dcm", *small)]


def scenario(script: Script, act: Callable[[FromTheBeginning], None]) -> None:
    """`act` against a peer; no thread and no descriptor stays."""
    before = Before()
    peer = FromTheBeginning(script)
    try:
        act(peer)
    finally:
        peer.close()
    wait_until(lambda: not before.threads() and not before.files())


@pytest.mark.parametrize("state", [*BEFORE, *WITHIN])
def test_each_instance_has_its_outcome_whenever_the_peer_resets(
    cine: list[InstanceToSend], state: str
) -> None:
    def act(peer: FromTheBeginning) -> None:
        outcomes = send(cine, peer.address, CALLING)
        assert [one.instance for one in outcomes] == cine
        assert {one.state for one in outcomes} == {State.NOT_SENT}
        assert all("closed the connection" in one.words for one in outcomes), outcomes[0].words

    scenario((BEFORE | WITHIN)[state], act)


@pytest.mark.parametrize("state", AFTER)
def test_what_was_answered_is_stored_whatever_becomes_of_the_release(
    cine: list[InstanceToSend], state: str
) -> None:
    def act(peer: FromTheBeginning) -> None:
        assert {one.state for one in send(cine, peer.address, CALLING)} == {State.STORED}

    scenario(AFTER[state], act)


ECHOED = {name: WITHIN[name] for name in ("established", "between command and data set")}


@pytest.mark.parametrize("state", [*BEFORE, *ECHOED])
def test_an_echo_says_that_the_peer_closed_the_connection(state: str) -> None:
    def act(peer: FromTheBeginning) -> None:
        with pytest.raises(SendError, match="closed the connection"):
            echo(peer.address, CALLING)

    scenario((BEFORE | ECHOED)[state], act)
