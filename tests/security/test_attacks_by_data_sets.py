"""Many at once within their associations: data sets that never end, come slowly, or explode."""

import threading
import time
import zlib
from collections.abc import Callable

import psutil
import pydicom
import pytest

from tests.security.conftest import StartReceiver, is_served
from tests.support.left_behind import Before
from tests.support.node_process import wait_until
from tests.support.peers import associate, store
from tests.support.raw_peer import COMMAND, DATA, LAST, RawPeer, p_data, store_command

DEFLATED = "1.2.840.10008.1.2.1.99"
AT_ONCE = {"maximum_associations": 400, "maximum_associations_per_address": 400}


def all_at_once(count: int, attack: Callable[[int], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=attack, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_64_that_send_a_byte_of_their_data_sets_at_a_time_hold_up_nobody(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire=AT_ONCE | {"pdu_timeout_s": 3})
    slow = [RawPeer(receiver.address).associate() for _ in range(64)]
    for one in slow:
        one.send(p_data(store_command(), COMMAND | LAST))
    message, sent = p_data(b"\x00" * 1000, DATA), 0
    assert is_served(receiver, instance)
    going_on = list(slow)
    while going_on and sent < 300:
        going_on = [one for one in going_on if takes(one, message[sent : sent + 1])]
        sent += 1
        time.sleep(0.2)
    assert going_on == []
    assert is_served(receiver, instance)
    for one in slow:
        one.connection.close()
    assert [path.suffix for path in receiver.files()] == [".dcm"]


def takes(peer: RawPeer, content: bytes) -> bool:
    try:
        peer.send(content)
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_16_data_sets_without_an_end_leave_neither_memory_nor_files(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire=AT_ONCE | {"maximum_instance_mb": 30})
    fragment = p_data(b"\x00" * 200_000, DATA)
    refused: list[int] = []

    def attack(number: int) -> None:
        with RawPeer(receiver.address).associate() as peer:
            peer.send(p_data(store_command(f"1.2.3.{number + 1}"), COMMAND | LAST))
            while takes(peer, fragment):
                pass
        refused.append(number)

    threads = all_at_once(16, attack)
    for thread in threads:
        thread.join(120)
    assert len(refused) == 16
    assert is_served(receiver, instance)
    assert [path.suffix for path in receiver.files()] == [".dcm"]


@pytest.mark.slow
def test_16_deflate_bombs_at_once_are_refused_and_take_little_memory(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire=AT_ONCE | {"maximum_inflated_mb": 20})
    encoder, zeros = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), bytes(1_000_000)
    bomb = b"".join(encoder.compress(zeros) for _ in range(400)) + encoder.flush()
    statuses: list[int] = []

    def attack(number: int) -> None:
        with associate(receiver.address, syntaxes=(DEFLATED,)) as association:
            uid = f"1.2.3.{number + 1}"
            answer = store(association, bomb, sop_instance_uid=uid, syntax=DEFLATED)
            statuses.append(int(answer.Status))

    before, highest = psutil.Process().memory_info().rss, 0
    threads = all_at_once(16, attack)
    while any(thread.is_alive() for thread in threads):
        highest = max(highest, psutil.Process().memory_info().rss)
        time.sleep(0.02)
    assert statuses == [0xC000] * 16
    assert highest - before < 600e6
    assert is_served(receiver, instance)


@pytest.mark.slow
def test_resets_by_32_peers_at_once_leave_no_thread(
    start: StartReceiver, instance: pydicom.FileDataset
) -> None:
    receiver = start(wire=AT_ONCE)
    before = Before()

    def attack(number: int) -> None:
        for turn in range(10):
            peer = RawPeer(receiver.address).associate()
            peer.send(p_data(store_command(f"1.2.{number + 1}.{turn + 1}"), COMMAND | LAST))
            peer.send(p_data(b"\x00" * (1000 * turn), DATA))
            peer.reset()

    for thread in all_at_once(32, attack):
        thread.join(60)
    assert is_served(receiver, instance)
    wait_until(lambda: not [one for one in before.threads() if one.startswith("from ")])
    assert [path.suffix for path in receiver.files()] == [".dcm"]
