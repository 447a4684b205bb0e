"""One thread lets an association in, serves it and records its end, whatever comes between."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pydicom
import pytest
import structlog
from pynetdicom import build_context
from pynetdicom.dsutils import encode

from core.config.settings import Configuration
from network import listener
from node.scp.association_services import CStoreScp
from node.scp.service import Listener
from tests.support.left_behind import Before
from tests.support.node_process import wait_until
from tests.support.peers import EXPLICIT, IMPLICIT, MR, encoded
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
from tests.support.receiver import Receiver, start_receiver

VERIFICATION = "1.2.840.10008.1.1"
CONTEXTS = [build_context(MR, [EXPLICIT]), build_context(VERIFICATION, [IMPLICIT])]
Start = Callable[..., Receiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a listener with keys of the wire."""
    with ExitStack() as over:

        def start_with(**wire: Any) -> Receiver:
            configuration = Configuration.model_validate({"wire": wire})
            receiver = start_receiver(tmp_path, configuration=configuration)
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


def is_free(receiver: Receiver) -> bool:
    """Whether no association has a place."""
    return receiver.listener._limits.wait_until_free(0.0)


def ends(receiver: Receiver) -> list[str]:
    """How associations ended, once one has."""
    wait_until(lambda: bool(receiver.ended))
    return [outcome for _, outcome in receiver.ended]


def test_an_association_needs_one_thread(start: Start, cine_folder: Path) -> None:
    receiver = start()
    instance, before = pydicom.dcmread(cine_folder / "9.dcm"), Before()
    with associated(receiver) as peer:
        peer.send(p_data(store_command(str(instance.SOPInstanceUID)), COMMAND | LAST))
        peer.send(p_data(encoded(instance), DATA | LAST))
        assert peer.answer() == P_DATA
        peer.send(echo())
        assert peer.answer() == P_DATA
        wait_until(lambda: [name[:5] for name in before.threads()] == ["from "])
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert ends(receiver) == ["released"]


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
    wait_until(lambda: not receiver.listener._open and is_free(receiver))


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
    wait_until(lambda: is_free(receiver))
    associated(receiver).connection.close()


def test_a_log_that_cannot_be_closed_holds_up_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = start()

    def fail(_: CStoreScp) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(CStoreScp, "on_pause", fail)
    with associated(receiver) as peer:
        peer.send(ABORT_RQ)
        assert ends(receiver) == ["aborted"]
    wait_until(lambda: is_free(receiver))


def test_a_thread_that_is_not_to_be_had_leaves_no_descriptor(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, begin = start(), threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("from "):
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    before = Before()
    for _ in range(20):
        with RawPeer(receiver.address) as peer:
            assert peer.answer() == -1
    wait_until(lambda: not before.files())
    monkeypatch.undo()
    associated(receiver).connection.close()


def test_an_end_that_is_being_recorded_is_recorded_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = start()
    record, begun = receiver.listener._on_end, threading.Event()

    def slowly(key: int, outcome: str, refused: Any) -> None:
        begun.set()
        time.sleep(0.3)
        record(key, outcome, refused)

    monkeypatch.setattr(receiver.listener, "_on_end", slowly)
    with associated(receiver) as peer:
        peer.send(ABORT_RQ)
        assert begun.wait(60)
        assert not is_free(receiver)
        assert receiver.listener.reap() == 0
    assert ends(receiver) == ["aborted"]
    wait_until(lambda: is_free(receiver))
    assert receiver.listener.reap() == 0
    assert ends(receiver) == ["aborted"]


def test_who_is_let_in_while_the_listener_stops_is_let_out_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, judged, stopped = start(), threading.Event(), threading.Event()

    def judge(*_: object) -> None:
        judged.set()
        stopped.wait(60)

    monkeypatch.setattr(Listener, "rejection_of", judge)
    with RawPeer(receiver.address) as peer:
        peer.send(associate_rq(CONTEXTS))
        assert judged.wait(60)
        stopping = threading.Thread(target=receiver.listener.stop)
        stopping.start()
        wait_until(lambda: receiver.listener._listeners == [])
        stopped.set()
        assert peer.answer() == ACCEPTED
        assert peer.answer() in (ABORTED, -1)
        stopping.join()
    wait_until(lambda: is_free(receiver))


@pytest.mark.parametrize("what", ["accept", "serve"])
def test_an_association_that_fails_is_told_and_takes_no_place(
    start: Start, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    receiver = start(maximum_associations=1)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch, structlog.testing.capture_logs() as said:
        patch.setattr(listener, what, fail)
        with RawPeer(receiver.address) as peer:
            peer.send(associate_rq(CONTEXTS))
            assert peer.answer() == (ACCEPTED if what == "serve" else -1)
            assert peer.answer() == -1
    assert "association failed" in [one["event"] for one in said]
    associated(receiver).connection.close()


def test_a_request_that_fails_is_answered(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = start()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(CStoreScp, "store", fail)
    with associated(receiver) as peer:
        peer.send(p_data(store_command(), COMMAND | LAST) + p_data(b"", DATA | LAST))
        assert peer.answer() == P_DATA
        assert b"\x00\x00\x00\x09\x02\x00\x00\x00\x10\x01" in peer.last  # 0x0110
