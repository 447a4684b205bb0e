"""A peer that resets the connection in each state of an association that it asked for.

The acceptor's states of PS3.8 section 9.2: Sta2 (a request is awaited), Sta3 (it is being judged),
Sta6 (established) before, within and after each message, Sta8 (a release is being answered), Sta13
(the peer's end is awaited). Where we ask, it is tests/sending/test_peers_that_reset.py.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pydicom
import pytest

from network import listener
from network.upper_layer.association import Association
from node.scp.instance_store import InstanceStore
from tests.security.conftest import StartReceiver, is_served
from tests.support.node_process import wait_until
from tests.support.raw_peer import (
    ABORT_RQ,
    COMMAND,
    DATA,
    LAST,
    RELEASE_RQ,
    RawPeer,
    associate_rq,
    p_data,
    pdu,
    store_command,
)
from tests.support.receiver import Receiver

STORE = p_data(store_command(), COMMAND | LAST)
FRAGMENT = p_data(b"\x00" * 1000, DATA)
WHOLE = STORE + p_data(b"\x00" * 1000, DATA | LAST)
AT_ONCE = {
    "connected": b"",
    "within the header of a request": associate_rq()[:3],
    "half a request": associate_rq()[:50],
    "rejected": associate_rq(),
    "no request": pdu(0x42, b"1234"),
    "associating": associate_rq(),
    "storing before associated": associate_rq() + WHOLE,
    "released before accepted": associate_rq() + RELEASE_RQ,
    "released before associated": RELEASE_RQ,
    "aborted before accepted": associate_rq() + ABORT_RQ,
    "associated twice": associate_rq() + associate_rq(),
}
"""What is sent without waiting for an answer."""
ASSOCIATED = {
    "associated": b"",
    "within the header of a PDU": FRAGMENT[:3],
    "half a PDU": FRAGMENT[:500],
    "an empty command": p_data(b"", COMMAND),
    "half a command": p_data(store_command()[:20], COMMAND),
    "between command and data set": STORE,
    "within the header of a data set's PDU": STORE + FRAGMENT[:3],
    "within a data set's PDU": STORE + FRAGMENT[:500],
    "half a data set": STORE + FRAGMENT,
    "a large half of a data set": STORE + p_data(b"\x00" * 200_000, DATA) * 8,
    "storing": WHOLE,
    "aborted by us": pdu(0x42, b"1234"),
    "releasing": RELEASE_RQ,
    "releasing within a data set": STORE + FRAGMENT + RELEASE_RQ,
    "released twice": RELEASE_RQ + RELEASE_RQ,
    "aborting": ABORT_RQ,
    "associating again": associate_rq(),
}
"""What is sent on an association."""


def lead_to(state: str, peer: RawPeer) -> None:
    if state in ASSOCIATED:
        peer.associate()
    peer.send((AT_ONCE | ASSOCIATED)[state])


@pytest.mark.parametrize("state", [*AT_ONCE, *ASSOCIATED])
def test_a_reset_in_each_state_leaves_nothing_behind(
    start: StartReceiver,
    instance: pydicom.FileDataset,
    nothing_is_left: Callable[[], None],
    state: str,
) -> None:
    receiver = start(wire={"called_ae_title": "known"}, ae_title=called(state))
    for pause_s in (0.0, 0.05, 0.3):
        peer = RawPeer(receiver.address)
        lead_to(state, peer)
        time.sleep(pause_s)
        peer.reset()
    if state != "rejected":
        assert is_served(receiver, instance)
    assert [path.suffix for path in receiver.files()] == [".dcm"] * (state != "rejected")
    all_are_over(receiver)
    nothing_is_left()


def called(state: str) -> str:
    return "OTHER" if state == "rejected" else "SLICEWIRE"


def all_are_over(receiver: Receiver) -> None:
    """No association is open for the ledger any more, so their series may be completed."""

    def is_over() -> bool:
        receiver.listener.reap()
        return not receiver.listener._open

    wait_until(is_over)


SLOW = {
    "associating": (listener, "write_associate"),
    "storing": (InstanceStore, "receive"),
    "releasing": (Association, "answer_release"),
}
"""What takes long in each state: Sta3, Sta6 and Sta8."""


@pytest.mark.parametrize("state", SLOW)
def test_a_reset_while_we_are_at_it_leaves_nothing_behind(
    start: StartReceiver,
    instance: pydicom.FileDataset,
    nothing_is_left: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    receiver, (owner, name) = start(), SLOW[state]
    known, begun, over = getattr(owner, name), list[str](), threading.Event()

    def take_long(*arguments: Any, **keys: Any) -> Any:
        begun.append(name)
        time.sleep(0.5)
        try:
            return known(*arguments, **keys)
        finally:
            over.set()

    monkeypatch.setattr(owner, name, take_long)
    peer = RawPeer(receiver.address)
    lead_to(state, peer)
    wait_until(lambda: begun != [])
    assert len(begun) == 1
    peer.reset()
    assert over.wait(60)
    monkeypatch.undo()
    assert is_served(receiver, instance)
    assert [path.suffix for path in receiver.files()] == [".dcm"]
    all_are_over(receiver)
    if state != "associating":  # else there was no association yet
        first = receiver.ended[0][1]
        assert first == ("released" if state == "releasing" else "aborted")
    nothing_is_left()
