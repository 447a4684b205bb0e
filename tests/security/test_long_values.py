"""A value of 60 MB where a UID or a code belongs is refused, and grows no process nor record."""

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.uid import ImplicitVRLittleEndian

from core.config.wire import Wire
from core.errors import InstanceError
from imaging.instances.frames import read_headers
from network.data_sets.examine import examine
from network.data_sets.file_bytes import FileBytes
from network.data_sets.limits import DataSetBounds, check_encoded
from network.file_meta import encode_file_meta
from node.scp.refusals import HEAD_BYTES, refusal_of
from tests.support.dicom.canaries import SOP_CLASS, encoded_elements
from tests.support.node_process import NodeProcess
from tests.support.peers import IMPLICIT, associate, store

LONG = b"1.2." + b"3" * 60_000_000
SOP_INSTANCE = "1.2.826.99.77.9"
TAGS = {
    "SeriesInstanceUID": 0x0020000E,
    "StudyInstanceUID": 0x0020000D,
    "SOPInstanceUID": 0x00080018,
    "NumberOfFrames": 0x00280008,
    "SpecificCharacterSet": 0x00080005,
}
_MOST_BYTES = 4_000_000


def data_set(tag: int) -> bytes:
    """An instance in implicit VR, in which a value can be that long."""
    elements = encoded_elements(implicit=True, sop_instance_uid=SOP_INSTANCE)
    elements[tag] = struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(LONG)) + LONG
    return b"".join(elements.values())


def file(tag: int, folder: Path) -> Path:
    path = folder / "one.dcm"
    meta = encode_file_meta(SOP_CLASS, SOP_INSTANCE, str(ImplicitVRLittleEndian))
    path.write_bytes(meta + data_set(tag))
    return path


def peak_of(refused: Callable[[], object]) -> tuple[int, str]:
    """Most memory while something is refused, and the words of the refusal."""
    tracemalloc.start()
    try:
        with pytest.raises(InstanceError) as error:
            refused()
        return tracemalloc.get_traced_memory()[1], str(error.value)
    finally:
        tracemalloc.stop()


def _examined(path: Path) -> None:
    """As a received instance is, above 1 MB in its file."""
    begin = len(encode_file_meta(SOP_CLASS, SOP_INSTANCE, str(ImplicitVRLittleEndian)))
    with path.open("rb") as opened:
        content = FileBytes(opened.fileno(), begin, path.stat().st_size - begin)
        check_encoded(content, str(ImplicitVRLittleEndian), DataSetBounds.of(Wire()))
    examine(path, SOP_CLASS, SOP_INSTANCE)


@pytest.mark.parametrize("keyword", TAGS)
def test_a_long_value_is_refused_unread(keyword: str, tmp_path: Path) -> None:
    path = file(TAGS[keyword], tmp_path)
    peak, words = peak_of(lambda: _examined(path))
    assert peak < _MOST_BYTES
    assert keyword in words
    assert len(words) < 300


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "NumberOfFrames"])
def test_a_long_value_in_a_file_is_refused_unread(keyword: str, tmp_path: Path) -> None:
    path = file(TAGS[keyword], tmp_path)
    peak, words = peak_of(lambda: read_headers(path))
    assert peak < _MOST_BYTES
    assert keyword in words


def test_what_is_kept_of_a_refusal_is_short() -> None:
    head = data_set(TAGS["SeriesInstanceUID"])[:HEAD_BYTES]
    kept = refusal_of("1.2." + "3" * 60_000, head, IMPLICIT, "0xC000, " + "x" * 60_000)
    assert (kept.sop_instance_uid, kept.series_instance_uid) == ("", "")
    assert len(kept.words) <= 500


def _peak_mb(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.slow
def test_the_node_grows_by_little_while_it_refuses_long_values(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path).start()
    try:
        before = _peak_mb(node.process.pid)
        for tag in TAGS.values():
            with associate(node.address, syntaxes=(IMPLICIT,), classes=(SOP_CLASS,)) as association:
                answer = store(
                    association,
                    data_set(tag),
                    sop_class_uid=SOP_CLASS,
                    sop_instance_uid=SOP_INSTANCE,
                    syntax=IMPLICIT,
                )
                assert answer.Status == 0xC000
        assert _peak_mb(node.process.pid) - before < 60
    finally:
        node.stop()
    assert len(node.logs()) < 20_000
    ledger = [path.stat().st_size for path in node.storage_path.glob("ledger.sqlite*")]
    assert sum(ledger) < 2_000_000
