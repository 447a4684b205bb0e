"""DICOM series with RT Structure Sets: matched by UIDs, chosen and renamed by a table."""

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from core.errors import ConfigurationError
from imaging.instances.header import read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from model import prepare
from model.data.data_set_file import open_data_set
from model.preparation.inputs.structure_table import read_table
from tests.learning.drawn_cases import Change, case
from tests.learning.reports import findings, prepared


def another_set(source: Path, name: str, change: Change) -> None:
    """A copy of a structure set under another UID."""
    data_set = pydicom.dcmread(source)
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    change(data_set)
    data_set.save_as(source.with_name(name))


def _older_and_shifted(data_set: Dataset) -> None:
    data_set.StructureSetDate = "20010101"
    for contour in data_set.ROIContourSequence[0].ContourSequence:
        points = np.array(contour.ContourData, float).reshape(-1, 3) + np.array([9.0, 0, 0])
        contour.ContourData = [f"{value:.3f}" for value in points.ravel()]


def _open_and_unchosen(data_set: Dataset) -> None:
    data_set.ROIContourSequence[0].ContourSequence[8].ContourGeometricType = "OPEN_PLANAR"
    for sequence in ("StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence"):
        items = getattr(data_set, sequence)
        items.append(copy.deepcopy(items[0]))
    data_set.StructureSetROISequence[1].ROINumber = 7
    data_set.StructureSetROISequence[1].ROIName = "Couch"
    data_set.ROIContourSequence[1].ReferencedROINumber = 7
    data_set.RTROIObservationsSequence[1].ReferencedROINumber = 7


def _no_points(data_set: Dataset) -> None:
    data_set.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2", "3", "4"]


def _of_another_series(data_set: Dataset) -> None:
    for element in data_set.iterall():
        if element.VR == "UI" and element.keyword in (
            "SeriesInstanceUID", "ReferencedSOPInstanceUID",
            "FrameOfReferenceUID", "ReferencedFrameOfReferenceUID",
        ):  # fmt: skip
            element.value = generate_uid()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Several patients, some with something wrong, prepared with a table."""
    folder = tmp_path_factory.mktemp("mixed")
    source = folder / "in"
    several = case(source / "site" / "one", "1")
    another_set(several, "older.dcm", _older_and_shifted)
    case(source / "site" / "two" / "deep" / "er", "2", change=_open_and_unchosen)
    case(source / "lost", "3", change=_of_another_series)
    case(source / "Miller_J", "4", "Miller^Jane")
    case(source / "shared" / "x", "5")
    case(source / "again", "5", "Another^Name")
    (source / "note.txt").write_text("no DICOM")
    (source / "Miller_J" / "of Jane.txt").write_text("no DICOM")
    (source / "site" / "one" / "sets" / "cut.dcm").write_bytes(several.read_bytes()[:1500])
    another_set(several, "no_points.dcm", _no_points)
    table = folder / "table.yaml"
    table.write_text("gtv*: Tumour\nCouch:\n")
    output = folder / "data.h5"
    given = ("--structures", str(table), "--no-pictures")
    return output, prepared(source, output, *given, in_a_process=True)


def test_patients_are_called_by_their_folders(mixed: tuple[Path, dict[str, Any]]) -> None:
    patients = open_data_set(mixed[0]).patients
    hashed = [key for key in patients if key.startswith("patient-")]
    assert [key for key in patients if key not in hashed] == [
        "again", "shared", "site-one", "site-two",
    ]  # fmt: skip
    assert len(hashed) == 1


def test_a_patients_name_stands_nowhere(mixed: tuple[Path, dict[str, Any]]) -> None:
    output = mixed[0]
    page = output.with_name("data.report.html").read_bytes()
    report = output.with_name("data.report.json").read_bytes()
    for content in (output.read_bytes(), page, report):
        assert b"miller" not in content.lower()
        assert b"jane" not in content.lower()
    assert len(findings(mixed[1])["folder names that could name a patient"]) == 1


def test_masks_are_those_of_the_latest_structure_set(mixed: tuple[Path, dict[str, Any]]) -> None:
    source = open_data_set(mixed[0])
    assert [one.name for one in source.structures] == ["Tumour"]
    entries = source.samples({"site-one"})
    folder = mixed[0].parent / "in" / "site" / "one"
    headers = [read_header(path) for path in sorted((folder / "images").glob("*.dcm"))]
    masks, _ = to_masks(read_structure_set(folder / "sets" / "RS.dcm"), headers)
    (expected,) = masks.values()
    numbers = [header.instance_number for header in headers]
    for entry in entries:
        index = numbers.index(int(entry.key.rpartition("-")[2]))
        assert np.array_equal(source.read(entry).masks[0], expected[index])
    assert len(entries) == 24
    assert any("a later one has it" in one for one in _of(mixed, "structures in several"))


def test_slices_beside_the_structure_are_known_to_be_empty(
    mixed: tuple[Path, dict[str, Any]],
) -> None:
    source = open_data_set(mixed[0])
    empty = [one for one in source.samples({"site-one"}) if not source.read(one).masks.any()]
    assert empty
    assert all(one.known == (True,) for one in empty)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("structure sets without their series", "RS.dcm: structure set"),
        ("images of series without structure set", "lost: lost: 24 images"),
        ("damaged structure sets", "site/one/sets/no_points.dcm: "),
        ("files that are no whole DICOM", "site/one/sets/cut.dcm: "),
        ("files that are no whole DICOM", "note.txt: file note.txt"),
        ("open contours", "site-two/CT-"),
        ("two patients with one id", "again: again and shared have the same PatientID"),
    ],
)
def test_everything_wrong_is_in_the_report(
    mixed: tuple[Path, dict[str, Any]], kind: str, words: str
) -> None:
    assert any(line.startswith(words) for line in _of(mixed, kind)), findings(mixed[1])


def _of(mixed: tuple[Path, dict[str, Any]], kind: str) -> list[str]:
    return [line for name, lines in findings(mixed[1]).items() if kind in name for line in lines]


def test_drawn_slices_alone_and_a_damaged_image(tmp_path: Path) -> None:
    case(tmp_path / "in" / "one", "1")
    images = sorted((tmp_path / "in" / "one" / "images").glob("*.dcm"))
    images[12].write_bytes(images[12].read_bytes()[:9000])
    report = prepared(tmp_path / "in", tmp_path / "data.h5", "--slices", "drawn", "--no-pictures")
    source = open_data_set(tmp_path / "data.h5")
    assert all(source.read(entry).masks.any() for entry in source.samples())
    assert 0 < len(source.samples()) < 24
    assert len(findings(report)["damaged images"]) == 1
    assert [one.name for one in source.structures] == ["GTV_Mass_CT"]


def test_two_patients_in_one_folder_are_left_out_unless_called_by_hashes(tmp_path: Path) -> None:
    case(tmp_path / "in" / "mixed" / "a", "1")
    case(tmp_path / "b", "2")
    for kind in ("images", "sets"):
        for path in (tmp_path / "b" / kind).glob("*.dcm"):
            shutil.copy(path, tmp_path / "in" / "mixed" / "a" / kind / f"b{path.name}")
    case(tmp_path / "in" / "other", "3")
    report = prepared(tmp_path / "in", tmp_path / "data.h5", "--no-pictures")
    assert open_data_set(tmp_path / "data.h5").patients == ("other",)
    named = findings(report)["two patients with one id"]
    assert named[0].startswith("mixed-a-images: mixed-a-images: images of 2 patients")
    prepared(tmp_path / "in", tmp_path / "hash.h5", "--patient_keys", "hash", "--no-pictures")
    assert len(open_data_set(tmp_path / "hash.h5").patients) == 3


def test_one_patient_alone_is_called_by_the_folder_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case(tmp_path / "alone", "1")
    monkeypatch.chdir(tmp_path / "alone")
    prepared(Path(), tmp_path / "data.h5", "--no-pictures")
    assert open_data_set(tmp_path / "data.h5").patients == ("alone",)


def test_who_is_there_keeps_the_key_when_others_come(tmp_path: Path) -> None:
    case(tmp_path / "in" / "one" / "deep", "1")
    prepared(tmp_path / "in", tmp_path / "data.h5", "--no-pictures")
    case(tmp_path / "in" / "two", "2")
    report = prepared(tmp_path / "in", tmp_path / "data.h5", "--no-pictures")
    assert open_data_set(tmp_path / "data.h5").patients == ("in", "two")
    assert (report["added"], report["already_there"]) == (["two"], ["in"])


def test_patients_without_an_id_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        case(tmp_path / "in" / name, "", " ")
    given = ("--patient_keys", "hash", "--no-pictures")
    prepared(tmp_path / "in", tmp_path / "data.h5", *given)
    assert open_data_set(tmp_path / "data.h5").patients == ("one", "two")


def test_a_folder_without_structure_sets_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    given = ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "data.h5")]
    assert prepare.main(given) == 2
    assert "no RT Structure Set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.yaml", "- GTV", "patterns and names"),
        ("t.yaml", "GTV*: a name that is too long", "too long"),
        ("t.yaml", "GTV*:\n", "no structure"),
        ("t.csv", "a,b\nGTV*,GTV\n", "patterns and names"),
    ],
)
def test_a_table_that_is_wrong_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read_table(tmp_path / name)


def test_the_first_pattern_that_fits_names_a_structure(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("pattern,name\nGTV*old*,\nGTV*,GTV\nctv?,CTV\n")
    table = read_table(tmp_path / "t.csv")
    assert table.names == ("GTV", "CTV")
    found = [table.name_of(name) for name in ("gtv_1", "GTV very old", "CTV1", "CTV12", "Heart")]
    assert found == ["GTV", "", "CTV", "", ""]
