"""DCMTK's receiver stores what we send, bit for bit, and without its own senders' waits."""

import subprocess
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pydicom
import pytest
from pynetdicom.dsutils import split_dataset

from core.errors import SendError
from network.scu.c_store import InstanceToSend, PeerAddress, State, echo, instance_to_send, send
from tests.support.ports import free_port

CALLING = "SLICEWIRE"


@pytest.fixture
def cine(cine_folder: Path) -> list[InstanceToSend]:
    """All 22 instances of one series."""
    return [instance_to_send(path) for path in sorted(cine_folder.glob("*.dcm"))]


def _data_set_bytes(path: Path) -> bytes:
    return path.read_bytes()[split_dataset(path)[1] :]


@pytest.mark.peer("storescp")
@pytest.mark.parametrize("longest_pdu", [4096, 16_384, 131_072])
def test_dcmtk_stores_what_is_sent(
    cine: list[InstanceToSend], tmp_path: Path, longest_pdu: int
) -> None:
    port = free_port()
    command = ["/usr/bin/storescp", "-aet", "PEER", "-od", str(tmp_path), "+B"]
    command += ["--max-pdu", str(longest_pdu), str(port)]
    peer = PeerAddress("127.0.0.1", port, "PEER")
    process = subprocess.Popen(command)
    try:
        _wait_until_it_answers(peer)
        times: list[float] = []
        outcomes = send(cine, peer, CALLING, on_outcome=lambda _: times.append(time.monotonic()))
    finally:
        process.terminate()
        process.wait(60)
    assert all(one.state is State.STORED for one in outcomes)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert median(waits) < 0.03  # its own senders wait 44 ms for each
    stored = {pydicom.dcmread(path).SOPInstanceUID: path for path in tmp_path.iterdir()}
    for one in cine:
        assert _data_set_bytes(stored[one.sop_instance_uid]) == _data_set_bytes(one.path)


def _wait_until_it_answers(peer: PeerAddress) -> None:
    for _ in range(50):
        try:
            return echo(peer, CALLING)
        except SendError:
            time.sleep(0.1)
    raise AssertionError("storescp did not start")
