"""Instances of many megabytes: slow peers, files that change, and memory."""

import os
import threading
import time
import tracemalloc
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid
from pynetdicom.dsutils import split_dataset

from network.scu.c_store import InstanceToSend, State, Timeouts, instance_to_send, send
from tests.sending.conftest import StartRaw
from tests.sending.raw_scp import ABORT, P_DATA, RawScp

CALLING = "SLICEWIRE"


def large(ct_folder: Path, path: Path, size_bytes: int) -> InstanceToSend:
    data_set = pydicom.dcmread(sorted(ct_folder.glob("*.dcm"))[0])
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data_set.PixelData = bytes(size_bytes)
    data_set.save_as(path)
    return instance_to_send(path)


def test_an_abort_within_a_data_set_is_told_as_one(
    start_raw: StartRaw, ct_folder: Path, tmp_path: Path
) -> None:
    def take(peer: RawScp) -> None:
        peer.read(100_000)
        peer.say(ABORT, bytes(4))
        time.sleep(0.2)

    instance = large(ct_folder, tmp_path / "large.dcm", 30_000_000)
    outcome = send([instance], start_raw(take).address, CALLING)[0]
    assert outcome.state is State.NOT_SENT
    assert "aborted the association (its user)" in outcome.words


def test_a_peer_that_does_not_read_ends_in_time(
    start_raw: StartRaw, ct_folder: Path, tmp_path: Path
) -> None:
    is_over = threading.Event()
    instance = large(ct_folder, tmp_path / "large.dcm", 30_000_000)
    peer = start_raw(lambda _: is_over.wait(60))
    outcome = send([instance], peer.address, CALLING, timeouts=Timeouts(response_s=1.0))[0]
    is_over.set()
    assert "read nothing for 1 s" in outcome.words


def test_a_slow_peer_that_reads_on_has_time(
    start_raw: StartRaw, ct_folder: Path, tmp_path: Path
) -> None:
    def take(peer: RawScp) -> None:
        while True:
            content = peer.read_pdu()[1]
            time.sleep(0.015)
            if content[5] == 0x02:
                break
        peer.answer(1)
        peer.take_release()

    instance = large(ct_folder, tmp_path / "large.dcm", 12_000_000)
    peer = start_raw(take, maximum_length=32_768)
    outcome = send([instance], peer.address, CALLING, timeouts=Timeouts(response_s=4.0))[0]
    assert outcome.is_stored


def test_a_file_that_becomes_shorter_within_its_transmission_is_never_completed(
    start_raw: StartRaw, ct_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "large.dcm"
    instance = large(ct_folder, path, 30_000_000)
    kinds: list[int] = []

    def take(peer: RawScp) -> None:
        peer.read_pdu()
        os.truncate(path, 10_000_000)
        while not kinds or kinds[-1] == P_DATA:
            kind, content = peer.read_pdu()
            kinds.append(kind)
            assert kind != P_DATA or not content[5] & 0x02

    peer = start_raw(take)
    outcome = send([instance], peer.address, CALLING)[0]
    peer.close()
    assert outcome.state is State.NOT_SENT
    assert "became shorter while it was sent" in outcome.words
    assert kinds[-1] == ABORT


def test_a_large_instance_takes_no_memory(
    start_raw: StartRaw, ct_folder: Path, tmp_path: Path
) -> None:
    def take(peer: RawScp) -> None:
        view = memoryview(bytearray(1 << 20))
        peer.read_pdu()
        left = data_set_bytes + 6 + 6  # one PDU holds it
        peer.connection.settimeout(20)
        while left > 0:
            left -= peer.connection.recv_into(view[: min(left, len(view))])
        peer.answer(1)
        peer.take_release()

    instance = large(ct_folder, tmp_path / "large.dcm", 105_000_000)
    data_set_bytes = len(instance.path.read_bytes()[split_dataset(instance.path)[1] :])
    pdu_bytes = 262_144
    count = -(-data_set_bytes // (pdu_bytes - 6))
    data_set_bytes += 12 * (count - 1)
    tracemalloc.start()
    peer = start_raw(take, maximum_length=pdu_bytes)
    outcome = send([instance], peer.address, CALLING)[0]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.is_stored
    assert peak_bytes < 8_000_000
