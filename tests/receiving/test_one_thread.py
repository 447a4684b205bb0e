"""The thread that let an association in serves it; pynetdicom's begins where it has to serve."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom import build_context
from pynetdicom.association import Association
from pynetdicom.dsutils import encode

from core.config import Configuration
from tests.node_process import wait_until
from tests.peers import EXPLICIT, IMPLICIT, MR, encoded
from tests.receiver import Receiver, start_receiver
from tests.security.raw_peer import (
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

VERIFICATION = "1.2.840.10008.1.1"
CONTEXTS = [build_context(MR, [EXPLICIT]), build_context(VERIFICATION, [IMPLICIT])]
Start = Callable[..., Receiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a listener that reads C-STORE itself, with keys of the wire."""
    with ExitStack() as over:

        def start_with(**wire: Any) -> Receiver:
            keys = {"wire": {"data_path": "own"} | wire}
            receiver = start_receiver(tmp_path, configuration=Configuration.model_validate(keys))
            over.callback(receiver.ledger.close)
            over.callback(receiver.listener.stop)
            return receiver

        yield start_with


def associated(receiver: Receiver) -> RawPeer:
    peer = RawPeer(receiver.address)
    peer.send(associate_rq(CONTEXTS))
    assert peer.answer() == ACCEPTED
    return peer


def echo() -> bytes:
    command = pydicom.Dataset()
    command.AffectedSOPClassUID, command.CommandField = VERIFICATION, 0x0030
    command.MessageID, command.CommandDataSetType = 9, 0x0101
    return p_data(encode(command, True, True) or b"", COMMAND | LAST, 3)


def pynetdicoms_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if isinstance(one, Association)]


def ends(receiver: Receiver) -> list[str]:
    """How associations ended, once one has."""
    wait_until(lambda: bool(receiver.ended), 10.0)
    return [outcome for _, outcome in receiver.ended]


def test_storing_needs_one_thread(start: Start, cine_folder: Path) -> None:
    receiver = start()
    instance, before = pydicom.dcmread(cine_folder / "9.dcm"), threading.active_count()
    with associated(receiver) as peer:
        peer.send(p_data(store_command(str(instance.SOPInstanceUID)), COMMAND | LAST))
        peer.send(p_data(encoded(instance), DATA | LAST))
        assert peer.answer() == P_DATA
        assert (threading.active_count(), pynetdicoms_threads()) == (before + 1, [])
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert ends(receiver) == ["released"]


def test_verification_is_served_by_pynetdicoms_thread(start: Start) -> None:
    receiver = start()
    with associated(receiver) as peer:
        peer.send(echo())
        assert peer.answer() == P_DATA
        assert len(pynetdicoms_threads()) == 1
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert ends(receiver) == ["released"]
    wait_until(lambda: not pynetdicoms_threads(), 10.0)


def test_what_came_before_a_release_is_answered_before_it(start: Start) -> None:
    receiver = start()
    with associated(receiver) as peer:
        peer.send(echo() + RELEASE_RQ)
        assert [peer.answer(), peer.answer()] == [P_DATA, RELEASED]
    assert ends(receiver) == ["released"]


@pytest.mark.parametrize("way", ["abort", "reset"])
def test_an_abort_is_recorded_as_one(start: Start, way: str) -> None:
    receiver = start()
    peer = associated(receiver)
    peer.send(ABORT_RQ) if way == "abort" else peer.reset()
    assert ends(receiver) == ["aborted"]
    peer.connection.close()
    wait_until(lambda: receiver.listener.reap() == 0 and not pynetdicoms_threads(), 10.0)


def test_one_that_says_nothing_more_is_aborted(start: Start) -> None:
    receiver = start(idle_timeout_s=0.5)
    with associated(receiver) as peer:
        assert peer.answer() == ABORTED
    assert ends(receiver) == ["aborted"]


def test_a_listener_that_stops_aborts_what_is_open(start: Start) -> None:
    receiver = start()
    with associated(receiver) as peer:
        receiver.listener.stop()
        assert peer.answer() == ABORTED
    assert ends(receiver) == ["aborted"]


def test_an_open_association_holds_its_place(start: Start) -> None:
    receiver = start(maximum_associations=1)
    with associated(receiver) as first, RawPeer(receiver.address) as second:
        second.send(associate_rq(CONTEXTS))
        assert second.answer() != ACCEPTED
        first.send(RELEASE_RQ)
        assert first.answer() == RELEASED
    wait_until(lambda: not receiver.listener._places.holders(), 10.0)
    associated(receiver).connection.close()
