"""Values that other systems write and other software fails at: taken, or refused in our words."""

import struct
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from core.errors import NotADataSetError
from imaging.instances.element_words import told_uid
from imaging.instances.frames import read_headers
from network.file_meta import encode_file_meta
from tests.support.dicom.canaries import SOP_CLASS, encoded_elements

UID = "1.2.826.99.77.5"


def file(folder: Path, tag: int, vr: bytes, value: bytes) -> Path:
    """An instance with one more element, or another value of one."""
    elements = encoded_elements(implicit=False, sop_instance_uid=UID)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + struct.pack("<H", len(value))
    elements[tag] = head + value
    path = folder / "one.dcm"
    meta = encode_file_meta(SOP_CLASS, UID, str(ExplicitVRLittleEndian))
    path.write_bytes(meta + b"".join(elements[one] for one in sorted(elements)))
    return path


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00181152, b"IS", b"14.5"),  # Exposure
        (0x00080005, b"CS", b"Not Supplied"),
        (0x00080005, b"CS", b"ISO\0IR 6"),
        (0x00080005, b"CS", b"ISO 2022 IR 100 "),
        (0x00100010, b"PN", b"zhang\x1a^san"),
    ],
)
def test_an_odd_value_that_nothing_depends_on_is_taken(
    tag: int, vr: bytes, value: bytes, tmp_path: Path
) -> None:
    [header] = read_headers(file(tmp_path, tag, vr, value))
    assert header.sop_instance_uid == UID


@pytest.mark.parametrize(
    ("tag", "vr", "value", "words"),
    [
        (0x00200013, b"IS", b"F ", r"\(0020,0013\) InstanceNumber: expected a whole number"),
        (0x00280008, b"IS", b"57.6", r"\(0028,0008\) NumberOfFrames: expected a whole number"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_element(
    tag: int, vr: bytes, value: bytes, words: str, tmp_path: Path
) -> None:
    with pytest.raises(NotADataSetError, match=words):
        read_headers(file(tmp_path, tag, vr, value))


@pytest.mark.parametrize("uid", ["1.2.3", "2.25.12", "7.6.013.026981.5934635445.0220487836.2"])
def test_a_uid_of_any_anonymizer_is_told(uid: str) -> None:
    assert told_uid(uid) == uid


@pytest.mark.parametrize("text", ["Alice7.4.1.1", "19450312", "1945.03.12", "12.03.1945", "1" * 65])
def test_a_text_that_only_claims_to_be_a_uid_is_not_told(text: str) -> None:
    assert told_uid(text) == f"(no UID, {len(text)} characters)"
