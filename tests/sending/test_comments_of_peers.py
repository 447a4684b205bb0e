"""What a peer's ErrorComment quotes of an instance is told to nobody."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from network.scu.c_store import instance_to_send, send
from network.scu.peer_comments import told_comment
from tests.sending.desk import Desk, to
from tests.support.dicom.raw_texts import write_series

TEXTS = {
    "PatientName": "Müller^Quetzal".encode("latin-1"),
    "PatientID": b"KAN-4711",
    "PatientBirthDate": b"19500102",
    "CodeMeaning": b"sarcoma",
}


@pytest.fixture(params=[ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=str)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    syntax: UID = request.param
    return write_series(tmp_path, b"ISO_IR 100", syntax, TEXTS)[0]


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("no pixel data", "no pixel data"),
        ("Patient QUETZAL, MÜLLER unknown", "Patient ..., M ... unknown"),
        ("patient ID kan-4711 exists", "patient ID ...-... exists"),
        ("born 02.01.1950", "born ..."),
        ("born 1950", "born ..."),
        ("name mismatch, found SMITH^JANE", "name mismatch, found ..."),
        ("not found: " + "x " * 25 + "SMITH^JANE", "not found: " + "x " * 25 + "..."),
        ("no match for quet", "no match for ..."),
        ("KeyQuetzal=1", "...=1"),
        ("(0010,0020) is missing", "(0010,0020) is missing"),
        ("code Sarcoma not known", "code ... not known"),
        ("disk\r\n\x1b[31mfull\x07", "disk [31mfull"),
        ("x y " * 10_000, ("x y " * 16).strip()),
        ("\x00", ""),
    ],
)
def test_a_comment_keeps_only_words_that_the_instance_does_not_have(
    path: Path, comment: str, told: str
) -> None:
    assert told_comment(comment, path) == told


def test_a_comment_on_a_file_that_cannot_be_read_is_not_told(tmp_path: Path) -> None:
    assert told_comment("Patient Quetzal unknown", tmp_path / "gone.dcm") == "..."


def _refusing(text: str, status: int) -> Any:
    answer = Dataset()
    answer.Status, answer.ErrorComment = status, text
    return lambda _, __: answer


def test_the_outcome_quotes_nothing(start_peer: Any, path: Path) -> None:
    peer = start_peer(_refusing("Quetzal is unknown", 0xC000))
    [outcome] = send([instance_to_send(path)], peer.address, "TEST")
    assert outcome.words == "Error: cannot understand (0xC000): ... is unknown"


@pytest.mark.parametrize("status", [0xC123, 0xA700, 0xB000, 0x0110])
def test_the_ledger_keeps_no_name_of_a_comment(desk: Desk, start_peer: Any, status: int) -> None:
    """The structure set and the images are of the patient that the peer names."""
    first = desk.storage_path / "instances" / f"{desk.sources[0]}.dcm"
    name = str(_read(first).PatientName).replace("^", " ")
    assert len(name) > 4
    desk.queue(to(start_peer(_refusing(f"{name} differs", status))))
    desk.deliver()
    assert all("differs" in words for words in desk.parcel_words()[:4])
    assert not any(part in words for words in desk.parcel_words()[:4] for part in name.split())


def _read(path: Path) -> Dataset:
    return pydicom.dcmread(path, stop_before_pixels=True)
