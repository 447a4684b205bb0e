"""How the two commands end when the data, the disk or a person stops them: nothing is left."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from tests.support.conversion import to_dicom, to_hdf5
from tests.support.small_disk import fill, make_read_only, make_writable, small_disk

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


def _cut(folder: Path) -> None:
    path = min(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-100])


def _cut_header(folder: Path) -> None:
    path = min(folder.iterdir())
    path.write_bytes(path.read_bytes()[:300])


def _contradict(folder: Path) -> None:
    data_set = pydicom.dcmread(min(folder.iterdir()))
    data_set.PatientPosition = "HFS"
    data_set.save_as(folder / "again")


def _colour(folder: Path) -> None:
    data_set = pydicom.dcmread(min(folder.iterdir()))
    data_set.PhotometricInterpretation = "PALETTE COLOR"
    data_set.save_as(min(folder.iterdir()))


def _another_patient(folder: Path) -> None:
    data_set = pydicom.dcmread(min(folder.iterdir()))
    data_set.PatientName = "Some^Body"
    data_set.save_as(min(folder.iterdir()))


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_cut, "truncated"),
        (_cut_header, "not a readable DICOM instance"),
        (_contradict, "twice, with different content"),
        (_colour, "colour or unknown pixels"),
        (_another_patient, "more than one patient"),
        (_empty, "no DICOM image there"),
    ],
)
def test_bad_data_is_one_sentence_and_1_and_leaves_nothing(
    damage: Callable[[Path], None], words: str, source: Path, out: Path, capsys: Captured
) -> None:
    damage(source)
    assert to_hdf5(source, out) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1
    assert "Some^Body" not in said.err
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("kept", [0, 100, 5000, -2000])
def test_a_damaged_hdf5_file_is_1_and_leaves_nothing(
    kept: int, source: Path, out: Path, capsys: Captured
) -> None:
    assert to_hdf5(source, out) == 0
    (out / "a.h5").write_bytes((out / "a.h5").read_bytes()[:kept])
    assert to_dicom(out, source) == 1
    assert capsys.readouterr().err.startswith("a.h5: not a readable volume")
    assert {path.name for path in out.iterdir()} == {"a.h5", "a.json"}


def test_a_full_disk_is_1_and_leaves_nothing(
    ct_folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        filling = fill(disk, 1_000_000)
        assert to_hdf5(ct_folder, disk) == 1
        assert "No space left on device" in capsys.readouterr().err
        assert list(disk.iterdir()) == [filling]
        filling.unlink()
        assert to_hdf5(ct_folder, disk) == 0
        filling = fill(disk, 1_000_000)
        assert to_dicom(disk, ct_folder) == 1
        assert "No space left on device" in capsys.readouterr().err
        assert {path.name for path in disk.iterdir()} == {"a.h5", "a.json", filling.name}


def test_a_folder_that_cannot_be_written_is_1(
    source: Path, tmp_path: Path, capsys: Captured
) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        make_read_only(disk)
        assert to_hdf5(source, disk) == 1
        assert "Read-only file system" in capsys.readouterr().err
        make_writable(disk)


def test_an_unforeseen_fault_is_named_by_its_place_alone(
    source: Path, out: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("Nobody^At All")

    monkeypatch.setattr("pipeline.dicom_to_hdf5.dicom_to_hdf5", fail)
    assert to_hdf5(source, out) == 1
    said = capsys.readouterr().err
    assert said.startswith("unforeseen error RuntimeError at test_bad_endings.py")
    assert "Nobody" not in said


def test_a_process_that_is_ended_leaves_nothing(ct_folder: Path, out: Path) -> None:
    assert to_hdf5(ct_folder, out) == 0
    command = [sys.executable, "-m", "pipeline.hdf5_to_dicom", "-h", str(out / "a.h5")]
    command += ["-d", str(ct_folder), "-o", str(out / "dicom")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(out.glob(".dicom.*/*")):
            time.sleep(0.001)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, "interrupted, nothing was written\n")
    assert {path.name for path in out.iterdir()} == {"a.h5", "a.json"}
