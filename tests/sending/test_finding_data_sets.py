"""Where the data set of a file begins is found as pydicom finds it, whatever the file meta is."""

import struct
from pathlib import Path

import pydicom
import pytest
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.dsutils import split_dataset

from core.errors import NotADataSetError
from network.scu.outgoing import instance_to_send, open_data_set
from tests.support.samples import SAMPLES


def begin_of(path: Path) -> int:
    with open_data_set(path) as extent:
        assert extent.end == path.stat().st_size
        return extent.begin


def test_every_sample_begins_where_pydicom_says(zoo: Path) -> None:
    paths = [*SAMPLES.glob("**/*.dcm"), *zoo.glob("**/*.dcm")]
    assert len(paths) > 100
    for path in paths:
        try:
            expected = split_dataset(path)[1]
        except (InvalidDicomError, EOFError, ValueError):
            continue
        assert begin_of(path) == expected, path


@pytest.fixture
def content(ct_folder: Path, tmp_path: Path) -> bytes:
    """A slice in explicit VR, with file meta of some elements."""
    data_set = pydicom.dcmread(sorted(ct_folder.glob("*.dcm"))[0])
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "0.dcm", data_set, implicit_vr=False, little_endian=True)
    return (tmp_path / "0.dcm").read_bytes()


def with_meta(content: bytes, element: bytes, path: Path) -> Path:
    """One more element of group 2 at its end, and no group length that counts it."""
    begin = 144 + struct.unpack_from("<L", content, 140)[0]
    path.write_bytes(content[:132] + content[144:begin] + element + content[begin:])
    return path


@pytest.mark.parametrize("length", [2, 5000, 40_000])
def test_private_information_of_any_length_is_file_meta(
    content: bytes, tmp_path: Path, length: int
) -> None:
    information = struct.pack("<HH2sHL", 0x0002, 0x0102, b"OB", 0, length) + bytes(length)
    path = with_meta(content, information, tmp_path / "private.dcm")
    assert begin_of(path) == split_dataset(path)[1]
    whole = path.read_bytes()[begin_of(path) :]
    assert content.endswith(whole)
    assert instance_to_send(path).transfer_syntax_uid == ExplicitVRLittleEndian


def test_file_meta_in_implicit_vr_is_left_to_pydicom(content: bytes, tmp_path: Path) -> None:
    element = struct.pack("<HHL", 0x0002, 0x0016, 4) + b"NODE"
    path = with_meta(content, element, tmp_path / "implicit.dcm")
    assert begin_of(path) == split_dataset(path)[1]
    assert content.endswith(path.read_bytes()[begin_of(path) :])


def test_a_file_that_is_no_longer_dicom_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("no instance " * 50)
    with pytest.raises(NotADataSetError, match=r"text\.dcm"):
        begin_of(tmp_path / "text.dcm")
