"""The two commands: what they write, what they say, how they end."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from pipeline import dicom_to_hdf5
from tests.conversion.conftest import Save
from tests.support.conversion import to_dicom, to_hdf5
from tests.support.dicom.synthetic import SERIES, make_series, ramp

ROOT = Path(__file__).parents[2]
Captured = pytest.CaptureFixture[str]


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"pipeline.{module}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_folder_goes_there_and_back_as_processes(ct_folder: Path, tmp_path: Path) -> None:
    hdf5, summary, folder = (str(tmp_path / name) for name in ("a.h5", "a.json", "dicom"))
    done = _run("dicom_to_hdf5", "-i", str(ct_folder), "-h", hdf5, "-j", summary)
    assert (done.returncode, done.stderr) == (0, "")
    assert "51 slices of 158 x 154 pixels" in done.stdout
    done = _run("hdf5_to_dicom", "-h", hdf5, "-d", str(ct_folder), "-o", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "51 instances of the new series" in done.stdout
    assert "STS_003" not in done.stdout.replace(str(ct_folder), "")
    sources = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, ct_folder.glob("*.dcm"))}
    for path in Path(folder).iterdir():
        one = pydicom.dcmread(path)
        assert one.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        named = one.SourceImageSequence[0].ReferencedSOPInstanceUID
        assert one.PixelData == sources.pop(named).PixelData
    assert not sources
    assert json.loads(Path(summary).read_text())["patient"]["id"] == "STS_003"


@pytest.mark.parametrize("module", ["dicom_to_hdf5", "hdf5_to_dicom"])
def test_help_tells_every_flag_and_h_is_the_hdf5_file(module: str) -> None:
    done = _run(module, "--help")
    assert done.returncode == 0
    assert f"python -m pipeline.{module}" in done.stdout
    for flag in ("-h ", "--hdf5", "--help", "--series UID", "docs/hdf5.md", "Exit code"):
        assert flag in done.stdout


@pytest.mark.parametrize("module", ["dicom_to_hdf5", "hdf5_to_dicom"])
def test_a_process_with_wrong_flags_ends_with_2(module: str) -> None:
    done = _run(module, "-h")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "-h/--hdf5: expected one argument\n"


def test_no_json_is_written_where_none_is_asked_for(source: Path, out: Path) -> None:
    assert dicom_to_hdf5.main(["-i", str(source), "-h", str(out / "a.h5")]) == 0
    assert [path.name for path in out.iterdir()] == ["a.h5"]


def test_an_older_file_is_replaced(source: Path, out: Path) -> None:
    (out / "a.h5").write_text("old")
    assert to_hdf5(source, out) == 0
    assert (out / "a.h5").read_bytes().startswith(b"\x89HDF")


@pytest.fixture
def two_series(source: Path, save: Save) -> Path:
    """Series 1.2.3.4 beside the other, in one folder."""
    second = make_series(ramp("<i2", 12), bits_stored=12, SeriesInstanceUID="1.2.3.4")
    for number, one in enumerate(second):
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.4.{number}")
    save(second, source / "deeper")
    return source


def test_of_several_series_one_must_be_named(two_series: Path, out: Path, capsys: Captured) -> None:
    assert to_hdf5(two_series, out) == 2
    said = capsys.readouterr().err
    assert said.startswith("--series: expected the UID of one of 2 series")
    assert "1.2.3.4 (3 CT)" in said
    assert f"{SERIES} (3 CT)" in said
    assert list(out.iterdir()) == []
    assert to_hdf5(two_series, out, "--series", "1.2.3.4") == 0
    assert json.loads((out / "a.json").read_text())["series"]["instance_uid"] == "1.2.3.4"
    assert to_hdf5(two_series, out, "--series", "1.2.3.5") == 2
    assert "no series 1.2.3.5 there" in capsys.readouterr().err


def test_the_template_is_the_series_of_the_file_where_there_are_several(
    two_series: Path, out: Path
) -> None:
    assert to_hdf5(two_series, out, "--series", "1.2.3.4") == 0
    assert to_dicom(out, two_series) == 0
    first = pydicom.dcmread(next((out / "dicom").iterdir()))
    named = first.SourceImageSequence[0].ReferencedSOPInstanceUID
    assert named.startswith("1.2.3.4.")


def test_a_template_file_is_enough(source: Path, out: Path) -> None:
    assert to_hdf5(source, out) == 0
    assert to_dicom(out, next(source.iterdir())) == 0
    assert len(list((out / "dicom").iterdir())) == 3


def test_what_is_no_image_is_passed_over(
    source: Path, out: Path, ct_structure_set: Path, capsys: Captured
) -> None:
    (source / "notes.txt").write_text("not DICOM")
    shutil.copy(ct_structure_set, source / "structures")
    shutil.copy(next(source.iterdir()), source / "again")
    index = pydicom.Dataset()
    index.file_meta = pydicom.dataset.FileMetaDataset()
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(source / "DICOMDIR", index, enforce_file_format=True)
    assert to_hdf5(source, out) == 0
    said = capsys.readouterr().err
    assert "skipped notes.txt: not a DICOM file" in said
    assert "skipped DICOMDIR: a DICOMDIR" in said
    assert "a copy of SOP instance" in said


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "missing: -i/--input, -h/--hdf5"),
        (["-i", "nowhere", "-h", "a.h5"], "-i/--input: expected a folder, found none at 'nowhere'"),
        (["-i", ".", "-h", "."], "-h/--hdf5: expected a file to write, found the folder '.'"),
        (["-i", ".", "-h", "no/a.h5"], "-h/--hdf5: expected an existing folder, found no no"),
        (["-i", ".", "-h", "a", "-j", "./a"], "-j/--json: expected another file than a"),
        (["-i", ".", "-h", "a", "--serie", "1"], "--serie: no such flag, expected --series"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_2(
    argv: list[str],
    sentence: str,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dicom_to_hdf5.main(argv) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


def test_the_way_back_needs_an_empty_folder_and_a_root(
    source: Path, out: Path, capsys: Captured
) -> None:
    assert to_hdf5(source, out) == 0
    assert to_dicom(out, source, "--root_uid", "1.x") == 2
    assert "--root_uid: expected a UID root" in capsys.readouterr().err
    (out / "dicom").mkdir()
    (out / "dicom" / "kept").touch()
    assert to_dicom(out, source) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err
    (out / "dicom" / "kept").unlink()
    assert to_dicom(out, source, "--root-uid", "1.2.3") == 0
    assert next((out / "dicom").iterdir()).name.startswith("1.2.3.")
