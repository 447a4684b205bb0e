"""The export door: its exit code and its lines tell what arrived."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from network.file_meta import encode_file_meta
from network.scu.c_store import InstanceToSend, PeerAddress, State, send
from network.scu.presentation import MAX_CONTEXTS, propose
from scu_export import main
from tests.support.peers import encoded

ROOT = Path(__file__).parent.parent.parent


def _flags(peer: PeerAddress) -> list[str]:
    return ["--scu-ip", peer.ip, "--scu-port", str(peer.port), "--scu-ae", peer.ae_title]


@pytest.fixture
def folder(cine_folder: Path, ct_structure_set: Path, tmp_path: Path) -> Path:
    """Three images, a structure set two levels down, a note, a DICOMDIR and an empty folder."""
    folder = tmp_path / "case"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "empty").mkdir()
    for path in sorted(cine_folder.glob("*.dcm"))[:3]:
        shutil.copy(path, folder)
    shutil.copy(ct_structure_set, folder / "deep" / "deeper" / "structures")
    (folder / "notes.txt").write_text("not DICOM")
    _write_dicomdir(folder / "DICOMDIR")
    return folder


def _write_dicomdir(path: Path) -> None:
    index = Dataset()
    index.FileSetID = "TEST"
    index.file_meta = pydicom.dataset.FileMetaDataset()
    index.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3")
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(path, index, enforce_file_format=True)


def test_a_folder_is_sent_at_any_depth(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = start_peer()
    assert main([*_flags(peer.address), str(folder)]) == 0
    assert len(peer.received) == 4
    printed = capsys.readouterr().out
    assert f"skipped {folder / 'notes.txt'}: not a DICOM file" in printed
    assert f"skipped {folder / 'DICOMDIR'}: a DICOMDIR" in printed
    assert "FAILED" not in printed
    assert "4 of 4 instances stored at PEER at 127.0.0.1" in printed.splitlines()[-1]
    assert "2 files skipped" in printed.splitlines()[-1]


def test_a_named_file_that_is_not_dicom_fails(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = next(folder.glob("*.dcm"))
    assert main([*_flags(start_peer().address), str(image), str(folder / "notes.txt")]) == 1
    printed = capsys.readouterr().out
    assert f"FAILED {folder / 'notes.txt'}: not a DICOM file" in printed
    assert "1 of 2 instances stored" in printed


def test_a_file_that_contradicts_its_transfer_syntax_is_not_sent(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = next(folder.glob("*.dcm"))
    data_set = pydicom.dcmread(wrong)
    meta = encode_file_meta(data_set.SOPClassUID, data_set.SOPInstanceUID, ExplicitVRLittleEndian)
    wrong.write_bytes(meta + encoded(data_set, implicit=True))
    peer = start_peer()
    assert main([*_flags(peer.address), str(folder)]) == 1
    assert len(peer.received) == 3
    printed = capsys.readouterr().out
    assert f"FAILED {wrong}: encoded as implicit VR LE, its transfer syntax is explicit" in printed


def test_a_damaged_file_in_a_folder_fails_and_the_others_go_out(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = next(folder.glob("*.dcm"))
    damaged.write_bytes(damaged.read_bytes()[:-5000])
    peer = start_peer()
    assert main([*_flags(peer.address), str(folder)]) == 1
    assert len(peer.received) == 3
    printed = capsys.readouterr().out
    assert f"FAILED {damaged}: " in printed
    assert "truncated" in printed
    assert "3 of 4 instances stored" in printed


def test_each_refused_instance_has_a_line_with_its_status(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = start_peer(lambda event, index: 0xA700 if index == 1 else 0x0000)
    assert main([*_flags(peer.address), str(folder)]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if "FAILED" in line]
    assert len(failed) == 1
    assert failed[0].endswith(": Refused: out of resources (0xA700)")


def test_a_warning_is_shown_and_counts_as_stored(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = start_peer(lambda event, index: 0xB000)
    assert main([*_flags(peer.address), str(folder)]) == 0
    assert capsys.readouterr().out.count("Warning: coercion of data elements (0xB000)") == 4


def test_what_was_transcoded_is_said(
    start_peer: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = start_peer(syntaxes=(str(ImplicitVRLittleEndian),))
    assert main([*_flags(peer.address), *map(str, folder.glob("*.dcm"))]) == 0
    assert "3 of them transcoded without loss" in capsys.readouterr().out


def test_no_path_is_an_echo(start_peer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    peer = start_peer()
    assert main(_flags(peer.address)) == 0
    assert main([*_flags(peer.address), "--echo"]) == 0
    assert capsys.readouterr().out.count("answered C-ECHO") == 2


def test_a_peer_that_is_not_there_is_exit_code_1(
    closed_port: PeerAddress, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*_flags(closed_port), str(folder)]) == 1
    assert "connection refused" in capsys.readouterr().out


def test_a_folder_without_instances_is_exit_code_1(start_peer: Any, tmp_path: Path) -> None:
    assert main([*_flags(start_peer().address), str(tmp_path)]) == 1


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--scu_port", "99999"], "--scu_port"),
        (["--scu-prot", "104"], "--scu_port"),
        (["/no/such/path"], "PATH"),
        (["--echo", "."], "--echo"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


def test_the_process_has_the_exit_code_and_an_empty_standard_error(
    start_peer: Any, cine_folder: Path
) -> None:
    command = [sys.executable, "scu_export.py", *_flags(start_peer().address), str(cine_folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "22 of 22 instances stored" in done.stdout


def test_more_classes_than_one_association_holds_are_said(start_peer: Any, ct_folder: Path) -> None:
    path = next(ct_folder.glob("*.dcm"))
    instances = [
        InstanceToSend(path, f"1.2.840.10008.5.1.4.1.1.{2 if n == 0 else 9000 + n}", "1.2.3", "1.2")
        for n in range(MAX_CONTEXTS + 2)
    ]
    outcomes = send(instances, start_peer().address, "SLICEWIRE")
    assert len(propose(instances)) == MAX_CONTEXTS
    assert {one.state for one in outcomes[1:MAX_CONTEXTS]} == {State.NOT_ACCEPTED}
    assert {one.state for one in outcomes[MAX_CONTEXTS:]} == {State.NOT_SENT}
    assert "one association holds 128" in outcomes[-1].words


def test_a_class_keeps_its_fallback_when_syntaxes_outnumber_the_contexts() -> None:
    instances = [
        InstanceToSend(Path("x"), "1.2.840.10008.5.1.4.1.1.2", "1.2.3", f"1.2.840.10008.1.2.4.{n}")
        for n in range(200)
    ]
    contexts = propose(instances)
    assert len(contexts) == MAX_CONTEXTS
    assert contexts[0].transfer_syntax == [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
