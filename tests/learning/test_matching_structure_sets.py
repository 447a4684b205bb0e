"""Structure sets find their series although systems write patients and UIDs differently."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from model.data.data_set_file import open_data_set
from model.preparation.inputs.folder_index import index_folder
from model.preparation.inputs.same_patient import differing_keywords
from model.preparation.inputs.set_matching import SetMatches, match_sets
from model.preparation.report.remarks import Kind
from tests.learning.drawn_cases import case
from tests.learning.reports import findings, prepared

Change = Callable[[Dataset], None]
PERSON = {"PatientID": "P1", "PatientName": "Phantom^Synth", "PatientBirthDate": "19600101"}


def _written(path: Path, **values: str) -> Path:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    data_set.SOPClassUID, data_set.SOPInstanceUID = CTImageStorage, generate_uid()
    data_set.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    data_set.save_as(path, enforce_file_format=True)
    return path


def _differing(folder: Path, **values: str) -> tuple[str, ...]:
    first = _written(folder / "image.dcm", **PERSON)
    return differing_keywords(first, _written(folder / "set.dcm", **(PERSON | values)))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"PatientName": "Phantom^Synth^^"},
        {"PatientName": "Phantom^Synth^^^"},
        {"PatientName": "PHANTOM^SYNTH"},
        {"PatientName": "Phantom Synth"},
        {"PatientName": "Phantom, Synth"},
        {"PatientName": "Phantom^Synth^^Dr"},
        {"PatientName": "Phantom"},
        {"PatientName": "Phantom^Synth=ファントム^シンス"},
        {"PatientName": "=ファントム^シンス"},
        {"PatientName": ""},
        {"PatientBirthDate": ""},
        {"PatientBirthDate": "1960.01.01"},
        {"PatientID": " P1  "},
        {"PatientID": ""},
    ],
)
def test_one_patient_is_one_however_written(tmp_path: Path, values: dict[str, str]) -> None:
    assert _differing(tmp_path, **values) == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"PatientID": "P2"}, ("PatientID",)),
        ({"PatientID": "p1"}, ("PatientID",)),
        ({"PatientID": "", "PatientName": ""}, ("PatientID",)),
        ({"PatientName": "Phantom^Other"}, ("PatientName",)),
        ({"PatientName": "Synth^Phantom"}, ("PatientName",)),
        ({"PatientName": "^Synth"}, ("PatientName",)),
        ({"PatientBirthDate": "19600102"}, ("PatientBirthDate",)),
        ({"PatientID": "P2", "PatientName": "A^B"}, ("PatientID", "PatientName")),
    ],
)
def test_two_patients_are_told_by_the_keywords_that_differ(
    tmp_path: Path, values: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert _differing(tmp_path, **values) == expected


def test_ideographic_names_that_differ_are_two_patients(tmp_path: Path) -> None:
    image = _written(tmp_path / "a.dcm", PatientID="P1", PatientName="Yamada^Tarou=山田^太郎")
    other = _written(tmp_path / "b.dcm", PatientID="P1", PatientName="Yamada^Tarou=山本^太郎")
    assert differing_keywords(image, other) == ("PatientName",)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "in"
    case(folder, "P1", "Phantom^Synth")
    return folder


def _matched(folder: Path, change: Change) -> tuple[SetMatches, Path]:
    path = folder / "sets" / "RS.dcm"
    data_set = pydicom.dcmread(path)
    change(data_set)
    data_set.save_as(path)
    return match_sets(index_folder(folder, 1, lambda _done, _total: None)), path


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "in"))


def _renamed_series(data_set: Dataset) -> None:
    for element in data_set.iterall():
        if element.keyword in ("SeriesInstanceUID", "ReferencedSOPInstanceUID"):
            element.value = generate_uid()


def _renamed_patient(data_set: Dataset) -> None:
    data_set.PatientName = "PHANTOM^SYNTH^^"


def _other_patient(data_set: Dataset) -> None:
    data_set.PatientID = "SECRET"


def test_a_name_written_otherwise_is_used_with_a_remark(folder: Path) -> None:
    matches, _ = _matched(folder, _renamed_patient)
    assert [len(sets) for sets in matches.sets.values()] == [1]
    assert [one.kind for one in matches.remarks] == [Kind.WRITTEN_OTHERWISE]
    assert "hantom" not in matches.remarks[0].words


def test_another_patient_id_is_refused_in_words_without_values(folder: Path) -> None:
    matches, path = _matched(folder, _other_patient)
    assert matches.sets == {}
    assert matches.refused == [path]
    (remark,) = matches.remarks
    assert remark.kind is Kind.OTHER_PATIENT
    assert "PatientID differs from that of series" in remark.words
    assert "SECRET" not in remark.words


def test_a_series_that_is_not_there_is_found_by_its_frame_of_reference(folder: Path) -> None:
    matches, _ = _matched(folder, _renamed_series)
    assert [len(sets) for sets in matches.sets.values()] == [1]
    (remark,) = matches.remarks
    assert (remark.kind, remark.left_out) == (Kind.BY_FRAME, False)


def test_a_patient_written_otherwise_is_found_by_frame_of_reference_too(folder: Path) -> None:
    def change(data_set: Dataset) -> None:
        _renamed_series(data_set)
        _renamed_patient(data_set)

    matches, _ = _matched(folder, change)
    assert len(matches.sets) == 1
    assert {one.kind for one in matches.remarks} == {Kind.BY_FRAME, Kind.WRITTEN_OTHERWISE}

    matches, _ = _matched(folder, _other_patient)
    assert matches.sets == {}
    assert [one.kind for one in matches.remarks] == [Kind.OTHER_PATIENT]


def _second_series(folder: Path, **values: object) -> None:
    """The images again, as a series of their own in the same frame of reference."""
    uid = generate_uid()
    for path in sorted((folder / "images").glob("*.dcm")):
        data_set = pydicom.dcmread(path)
        data_set.SeriesInstanceUID = uid
        data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        for keyword, value in values.items():
            setattr(data_set, keyword, value)
        data_set.save_as(path.with_name(f"second-{path.name}"))


def test_of_several_series_in_a_frame_of_reference_none_is_guessed(folder: Path) -> None:
    _second_series(folder)
    matches, _ = _matched(folder, _renamed_series)
    assert matches.sets == {}
    (remark,) = matches.remarks
    assert remark.kind is Kind.NO_SERIES
    assert "its frame of reference fits 2 series, expected one: not guessed" in remark.words


def test_a_localizer_in_the_frame_of_reference_does_not_make_it_two(folder: Path) -> None:
    _second_series(folder, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    matches, _ = _matched(folder, _renamed_series)
    assert [len(sets) for sets in matches.sets.values()] == [1]
    assert [one.kind for one in matches.remarks] == [Kind.BY_FRAME]


def test_a_structure_set_without_its_series_is_named(folder: Path) -> None:
    def change(data_set: Dataset) -> None:
        _renamed_series(data_set)
        for element in data_set.iterall():
            if element.keyword in ("FrameOfReferenceUID", "ReferencedFrameOfReferenceUID"):
                element.value = generate_uid()

    matches, _ = _matched(folder, change)
    assert matches.sets == {}
    (remark,) = matches.remarks
    assert remark.kind is Kind.NO_SERIES
    assert remark.words.endswith("is not there")


def test_what_is_found_by_frame_of_reference_is_in_the_data_set(folder: Path) -> None:
    data_set = pydicom.dcmread(folder / "sets" / "RS.dcm")
    _renamed_series(data_set)
    _renamed_patient(data_set)
    data_set.save_as(folder / "sets" / "RS.dcm")
    report = prepared(folder, folder.parent / "data.h5", "--no-pictures")
    source = open_data_set(folder.parent / "data.h5")
    assert any(source.read(entry).masks.any() for entry in source.samples())
    assert len(findings(report)[Kind.BY_FRAME.value]) == 1


LONG = ["Left_Ventricle_Endocardium", "Left_Ventricle_Epicardium, äußere Kontur"]


def test_long_names_stop_no_folder_and_are_cut_with_a_remark(folder: Path) -> None:
    data_set = pydicom.dcmread(folder / "sets" / "RS.dcm")
    data_set.SpecificCharacterSet = "ISO_IR 100"
    for item, name in zip(data_set.StructureSetROISequence, LONG, strict=False):
        item.ROIName = name
    data_set.save_as(folder / "sets" / "RS.dcm")
    report = prepared(folder, folder.parent / "data.h5", "--no-pictures")
    source = open_data_set(folder.parent / "data.h5")
    names = [one.name for one in source.structures]
    assert all(len(name) <= 16 for name in names)
    assert len({name.casefold() for name in names}) == len(names)
    assert any(source.read(entry).masks.any() for entry in source.samples())
    assert len(findings(report)[Kind.CUT_NAME.value]) == min(2, len(names))
