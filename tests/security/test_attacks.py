"""Many at once, and many one after another: the node goes on, and nothing is left behind."""

import errno
import gc
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pydicom
import pytest
from pydicom.uid import UID

from network.listener import AssociationListener
from network.scu.c_store import PeerAddress, instance_to_send, send
from tests.security.conftest import StartReceiver, is_served
from tests.support.left_behind import Before
from tests.support.node_process import wait_until
from tests.support.peers import encoded
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
    associate_rq,
    event_words,
    p_data,
    store_command,
)
from tests.support.receiver import Receiver

CONTENT_UID = UID("1.2.826.0.1.3680043.8.498.77")


def test_256_connections_that_say_nothing_hold_up_nobody(
    start: StartReceiver,
    instance: pydicom.FileDataset,
    nothing_is_left: Callable[[], None],
) -> None:
    receiver = start(wire={"maximum_waiting": 100, "associate_timeout_s": 5})
    silent = [RawPeer(receiver.address) for _ in range(256)]
    assert is_served(receiver, instance)
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "100 connections wait, as many as are allowed" in event_words(receiver, "bound")[0]
    assert 0 < len([one for one in threading.enumerate() if one.name.startswith("from ")]) < 150
    wait_until(lambda: all(one.answer() == -1 for one in silent if one.answer() != -1))
    for one in silent:
        one.connection.close()
    nothing_is_left()


def test_256_associations_that_say_nothing_are_rejected_beyond_the_limit(
    start: StartReceiver,
    instance: pydicom.FileDataset,
    nothing_is_left: Callable[[], None],
) -> None:
    limits = {"maximum_associations": 20, "maximum_associations_per_address": 20}
    receiver = start(wire=limits | {"idle_timeout_s": 3})
    silent, answers = [], []
    for _ in range(256):
        silent.append(RawPeer(receiver.address))
        silent[-1].send(associate_rq())
        answers.append(silent[-1].answer())
    assert answers.count(0x02) >= 20
    assert answers.count(0x03) + answers.count(0x02) == 256
    wait_until(lambda: is_let_in(receiver))  # the idle ones are aborted
    assert is_served(receiver, instance)
    for one in silent:
        one.connection.close()
    nothing_is_left()


@pytest.mark.slow
def test_256_associations_that_are_open_and_say_nothing_hold_up_nobody(
    start: StartReceiver,
    cine_folder: Path,
    nothing_is_left: Callable[[], None],
) -> None:
    limits = {"maximum_associations": 300, "maximum_associations_per_address": 300}
    receiver = start(wire=limits | {"idle_timeout_s": 10, "associate_timeout_s": 60})
    before = psutil.Process().memory_info().rss
    low = [os.open(os.devnull, os.O_RDONLY) for _ in range(1024)]  # select() could serve these only
    silent = [RawPeer(receiver.address, timeout_s=60).associate() for _ in range(256)]
    assert min(one.connection.fileno() for one in silent) > 1024
    [outcome] = send([instance_to_send(cine_folder / "9.dcm")], ours(receiver), "TPS")
    assert outcome.is_stored, outcome.words
    assert psutil.Process().memory_info().rss - before < 256e6
    assert {one.answer() for one in silent} == {ABORTED}
    for one in silent:
        one.connection.close()
    for descriptor in low:
        os.close(descriptor)
    words = event_words(receiver, "bound")
    assert words == ["127.0.0.1: nothing came for 10 s"]  # once, however many they are
    nothing_is_left()


def ours(receiver: Receiver) -> PeerAddress:
    """As we send to others: pynetdicom's own requestor fails above a thousand descriptors."""
    return PeerAddress(*receiver.address, "SLICEWIRE")


def is_let_in(receiver: Receiver) -> bool:
    with RawPeer(receiver.address) as one:
        one.send(associate_rq())
        return one.answer() == 0x02


def test_64_that_send_a_byte_at_a_time_hold_up_nobody(
    start: StartReceiver,
    instance: pydicom.FileDataset,
    nothing_is_left: Callable[[], None],
) -> None:
    receiver = start(wire={"associate_timeout_s": 3, "pdu_timeout_s": 3})
    slow, message = [RawPeer(receiver.address) for _ in range(64)], associate_rq()
    assert is_served(receiver, instance)
    wait_until(lambda: sum(still_takes(one, message) for one in slow) == 0)
    assert is_served(receiver, instance)
    for one in slow:
        one.connection.close()
    nothing_is_left()


def still_takes(peer: RawPeer, message: bytes) -> bool:
    try:
        peer.send(message[:1])
    except OSError:
        return False
    return True


def test_half_open_connections_end(
    start: StartReceiver,
    instance: pydicom.FileDataset,
    nothing_is_left: Callable[[], None],
) -> None:
    receiver = start(wire={"associate_timeout_s": 2, "idle_timeout_s": 2})
    half = [RawPeer(receiver.address) for _ in range(10)]
    half += [RawPeer(receiver.address).associate() for _ in range(10)]
    for one in half:
        one.connection.shutdown(socket.SHUT_WR)
    assert is_served(receiver, instance)
    for one in half:
        while one.answer() != -1:
            pass
        one.connection.close()
    nothing_is_left()


def test_where_no_more_files_may_be_open_connections_wait(
    start: StartReceiver, instance: pydicom.FileDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, asked = start(), list[float]()

    def fail(_: object) -> None:
        asked.append(time.monotonic())
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(AssociationListener, "accept", fail)
        with RawPeer(receiver.address) as waiting:
            wait_until(lambda: len(asked) > 5)
            patch.undo()
            assert waiting.associate().last
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert min(pauses) > 0.09  # and not as often as a processor can
    assert event_words(receiver, "bound") == ["this node: no more files may be open (ulimit -n)"]
    assert is_served(receiver, instance)


def one_association(receiver: Receiver, number: int, content: bytes) -> None:
    """In one of the ways in which real and other peers end theirs; one in five stores `content`."""
    with RawPeer(receiver.address) as peer:
        peer.associate()
        way = number % 5
        if way == 4:
            peer.send(p_data(store_command(str(CONTENT_UID)), COMMAND | LAST))
            peer.send(p_data(content, DATA | LAST))
            assert peer.answer() == P_DATA
        if way in (0, 4):
            peer.send(RELEASE_RQ)
            assert peer.answer() == RELEASED
        elif way == 1:
            peer.send(ABORT_RQ)
        elif way == 2:
            peer.reset()
        else:
            peer.send(b"\xff" * 20)


def leaks(receiver: Receiver, count: int, instance: pydicom.FileDataset) -> float:
    """How many MB more after `count` associations than after the first 50.

    Fails where more than five descriptors or three threads are left.
    """
    instance.SOPInstanceUID = CONTENT_UID
    content = encoded(instance)
    for number in range(50):
        one_association(receiver, number, content)
    before, memory = Before(), memory_bytes()
    for number in range(count):
        one_association(receiver, number, content)
        if number % 50 == 0:
            receiver.listener.reap()
    assert [path.suffix for path in receiver.files()] == [".dcm"]
    # SQLAlchemy keeps connections to the ledger, each under the same name
    wait_until(lambda: len(before.files()) <= 5 and len(before.threads()) <= 3)
    return (memory_bytes() - memory) / 1e6


def memory_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def test_300_associations_one_after_another_leave_nothing_behind(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    assert leaks(start(), 300, instance) < 15


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_10_000_associations_one_after_another_leave_nothing_behind(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    assert leaks(start(), 10_000, instance) < 40
