"""An instance costs the node as little memory as its fragments, however large it is."""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pydicom
import pytest

from tests.support.dicom.syntaxes import pydicom_bytes
from tests.support.missing import unavailable
from tests.support.node_process import ROOT, wait_until
from tests.support.raw_peer import COMMAND, DATA, LAST, P_DATA, RawPeer, p_data, store_command

_RECEIVER = """
import sys
from pathlib import Path
from core.log import quieten_libraries
from tests.support.receiver import start_receiver
quieten_libraries()
receiver = start_receiver(Path(sys.argv[1]))
print(receiver.address[1], flush=True)
sys.stdin.read()
receiver.listener.stop()
"""
_FRAGMENT_BYTES = 131_072


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """In a process of its own, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", _RECEIVER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    yield process, int(process.stdout.readline())
    process.communicate(timeout=60)


def header_of(cine_folder: Path, rows: int, columns: int, frames: int) -> bytes:
    """All of an instance but its pixels, up to their length."""
    data_set = pydicom.dcmread(cine_folder / "9.dcm")
    data_set.SOPInstanceUID, data_set.NumberOfFrames = "1.2.3.4", frames
    data_set.Rows, data_set.Columns = rows, columns
    data_set.PixelData = b"\x00\x00"
    content = pydicom_bytes(data_set, implicit=False, little=True)
    begin = content.rindex(b"\xe0\x7f\x10\x00OW")
    return content[: begin + 8] + struct.pack("<L", 2 * rows * columns * frames)


def send(port: int, header: bytes, pixel_bytes: int) -> int:
    """C-STORE with pixels of one fragment, again and again; answers the status."""
    fragment = p_data(os.urandom(_FRAGMENT_BYTES), DATA)
    with RawPeer(("127.0.0.1", port), timeout_s=300).associate() as peer:
        peer.send(p_data(store_command("1.2.3.4"), COMMAND | LAST))
        peer.send(p_data(header, DATA))
        for _ in range(pixel_bytes // _FRAGMENT_BYTES - 1):
            peer.send(fragment)
        peer.send(p_data(bytes(_FRAGMENT_BYTES), DATA | LAST))
        assert peer.answer() == P_DATA
        at = peer.last.index(b"\x00\x00\x00\x09\x02\x00\x00\x00")
        return int.from_bytes(peer.last[at + 8 : at + 10], "little")


def peak_growth_mb(
    receiver: tuple[subprocess.Popen[str], int], header: bytes, pixel_bytes: int
) -> float:
    """Of memory that is the process's own, so that pages of files do not count."""
    process, port = psutil.Process(receiver[0].pid), receiver[1]
    status = Path(f"/proc/{process.pid}/status")
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew
    before = process.memory_info().rss
    assert send(port, header, pixel_bytes) == 0
    [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return (int(peak.split()[1]) * 1024 - before) / 1e6


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_a_multi_frame_of_105_mb_costs_tens_of_mb(
    receiver: tuple[subprocess.Popen[str], int], cine_folder: Path, tmp_path: Path
) -> None:
    frames = 200
    size = 2 * 512 * 512 * frames
    assert peak_growth_mb(receiver, header_of(cine_folder, 512, 512, frames), size) < 60
    wait_until(lambda: list(tmp_path.rglob("*.dcm")) != [])
    [path] = tmp_path.rglob("*.dcm")
    assert pydicom.dcmread(path, defer_size=4096).NumberOfFrames == frames
    assert path.stat().st_size > size


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_an_object_of_2_gb_costs_tens_of_mb(
    receiver: tuple[subprocess.Popen[str], int], cine_folder: Path, tmp_path: Path
) -> None:
    if shutil.disk_usage(tmp_path).free < 5e9:
        unavailable("needs 5 GB of disk")
    size = 2 * 1024 * 1024 * 1024
    assert peak_growth_mb(receiver, header_of(cine_folder, 1024, 1024, 1024), size) < 60
    wait_until(lambda: list(tmp_path.rglob("*.dcm")) != [])
    for path in tmp_path.rglob("*.dcm"):
        path.unlink()
