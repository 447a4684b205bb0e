"""A file that is cut off, or whose disk fails, while its instance is looked at ends nothing."""

import errno
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

from core.config.wire import Wire
from core.errors import InstanceError, StorageUnavailableError
from network.data_sets.file_bytes import DataSet, FileBytes, in_memory
from network.data_sets.header_scan import scan
from network.data_sets.limits import DataSetBounds, check_encoded, frame_sizes, inflate
from network.data_sets.negotiated import check_encoding
from node.scp.watermark import Watermark
from tests.support.node_process import ROOT
from tests.support.peers import EXPLICIT, IMPLICIT, associate, encoded, store
from tests.support.receiver import Receiver, start_receiver

BOUNDS = DataSetBounds.of(Wire())
JPEG_2000 = "1.2.840.10008.1.2.4.90"
META = b"\x00" * 300


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    """With pixels of more than is kept in memory."""
    found = pydicom.dcmread(cine_folder / "9.dcm")
    found.Rows, found.Columns, found.NumberOfFrames = 512, 512, 4
    found.PixelData = os.urandom(2 * 512 * 512 * 4)
    return found


def in_file(folder: Path, content: bytes) -> FileBytes:
    """Behind file meta; the descriptor ends with the process."""
    path = folder / "spool"
    path.write_bytes(META + content)
    return FileBytes(os.open(path, os.O_RDWR), len(META), len(content))


@pytest.mark.parametrize("implicit", [False, True])
def test_a_data_set_in_a_file_is_judged_as_in_memory(
    tmp_path: Path, instance: pydicom.FileDataset, implicit: bool
) -> None:
    content = encoded(instance, implicit=implicit)
    syntax, found = IMPLICIT if implicit else EXPLICIT, in_file(tmp_path, content)
    assert scan(found, syntax, BOUNDS) == scan(content, syntax, BOUNDS) is not None
    check_encoded(found, syntax, BOUNDS)
    assert in_memory(found) == content
    assert [found[at : at + 7] for at in (0, 9000, 3)] == [
        content[at : at + 7] for at in (0, 9000, 3)
    ]
    assert found[len(content) - 2 :] + found[len(content) :] == content[-2:]


def outcome(judge: Callable[[DataSet], object], content: DataSet) -> object:
    try:
        return judge(content)
    except (InstanceError, struct.error) as error:
        return str(error)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_bytes_in_a_file_are_judged_as_in_memory(
    cine_folder: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(encoded(pydicom.dcmread(cine_folder / "9.dcm"))[:-100_000])
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, 6000))] = data.draw(st.integers(0, 255))
    kept = bytes(content[: data.draw(st.integers(0, len(content)))])
    found = in_file(tmp_path_factory.mktemp("any"), kept)
    for syntax in (EXPLICIT, IMPLICIT, JPEG_2000):
        for judge in (scan, check_encoding):
            by_file = outcome(lambda one: judge(one, syntax, BOUNDS), found)  # noqa: B023, at once
            in_memory = outcome(lambda one: judge(one, syntax, BOUNDS), kept)  # noqa: B023
            assert by_file == in_memory
    os.close(found._descriptor)


def test_frames_in_a_file_are_measured_as_in_memory(tmp_path: Path) -> None:
    size = struct.pack(">HH8L", 41, 0, 40, 30, 0, 0, 40, 30, 0, 0)
    frame = b"\xff\x4f\xff\x51" + size + struct.pack(">HBBB", 1, 15, 1, 1) + bytes(100_000)
    content = encapsulate([frame] * 5)
    at = content.index(b"\xfe\xff\x00\xe0", 4)
    found = list(frame_sizes(in_file(tmp_path, content), at))
    assert found == list(frame_sizes(content, at)) == [40 * 30 * 2] * 5


def test_what_is_cut_off_is_a_storage_that_failed(
    tmp_path: Path, instance: pydicom.FileDataset
) -> None:
    found = in_file(tmp_path, encoded(instance))
    os.truncate(tmp_path / "spool", 350)
    for look in (
        lambda: scan(found, EXPLICIT, BOUNDS),
        lambda: check_encoded(found, EXPLICIT, BOUNDS),
        lambda: inflate(found, 10_000_000),
        lambda: in_memory(found),
    ):
        with pytest.raises(StorageUnavailableError, match="a file became shorter"):
            look()


def test_a_disk_that_fails_is_a_storage_that_failed(
    tmp_path: Path, instance: pydicom.FileDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_file(tmp_path, encoded(instance))

    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(StorageUnavailableError, match="Storage failed: Input/output error"):
        scan(found, EXPLICIT, BOUNDS)


def test_no_file_that_may_shrink_is_mapped() -> None:
    rooms = ("core", "imaging", "network", "model", "pipeline", "simulator", "node", "web")
    modules = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    assert len(modules) > 100
    mapping = re.compile(r"import mmap|memmap|mmap_mode|mmap=True|mmap_size")
    assert [path for path in modules if mapping.search(path.read_text())] == []


def status(receiver: Receiver, instance: pydicom.FileDataset) -> tuple[int, str]:
    with associate(receiver.address) as association:
        answer = store(
            association, encoded(instance), sop_instance_uid=str(instance.SOPInstanceUID)
        )
        return int(answer.Status), str(answer.ErrorComment or "")


@pytest.mark.parametrize("left", [0, 400, 1_000_000])
def test_an_instance_whose_file_is_cut_off_is_0xa700_and_the_node_goes_on(
    tmp_path: Path, instance: pydicom.FileDataset, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    receiver = start_receiver(tmp_path)
    whole = Watermark.check

    def cut(watermark: Watermark) -> None:
        """Between the last fragment and the first look at it."""
        for path in receiver.storage_path.glob("incoming/*"):
            os.truncate(path, left)
        whole(watermark)

    monkeypatch.setattr(Watermark, "check", cut)
    code, words = status(receiver, instance)
    assert code == 0xA700
    assert words.startswith("Storage failed: a file ")
    monkeypatch.setattr(Watermark, "check", whole)
    assert receiver.files() == []
    assert status(receiver, instance) == (0, "")
    assert [path.suffix for path in receiver.files()] == [".dcm"]
    receiver.listener.stop()
    receiver.ledger.close()
