"""Each fault of what came back is found by its own check, in words."""

import copy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from core.identity import Provenance
from imaging.derived.series import build_derived_series
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.series.volume import read_volume
from simulator.agreement import compare
from simulator.checks import is_complete, judge
from simulator.truth import read_truth
from tests.support.returned import headers_of


def _failed(sent: dict[str, Header], paths: Sequence[Path]) -> dict[str, str]:
    return {one.name: one.words for one in judge(sent, paths).checks if not one.passed}


def _changed(path: Path, change: Callable[[Any], None]) -> Path:
    data_set = pydicom.dcmread(path)
    change(data_set)
    pydicom.dcmwrite(path, data_set)
    return path


def _contour(data_set: Any) -> Any:
    return data_set.ROIContourSequence[0].ContourSequence[0]


def _foreign_reference(data_set: Any) -> None:
    _contour(data_set).ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"


def _foreign_image_in_list(data_set: Any) -> None:
    frame = data_set.ReferencedFrameOfReferenceSequence[0]
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    series.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"


def _foreign_series(data_set: Any) -> None:
    frame = data_set.ReferencedFrameOfReferenceSequence[0]
    frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.5"


def _other_frame(data_set: Any) -> None:
    data_set.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = "1.2.3.6"


def _off_plane(data_set: Any) -> None:
    values = np.array(_contour(data_set).ContourData, dtype=float)
    values[2] += 0.5
    _contour(data_set).ContourData = [f"{value:.4f}" for value in values]


def _outside(data_set: Any) -> None:
    values = np.array(_contour(data_set).ContourData, dtype=float).reshape(-1, 3)
    middle = values.mean(axis=0)
    values = middle + 40 * (values - middle)
    _contour(data_set).ContourData = [f"{value:.4f}" for value in values.ravel()]


def _wrong_count(data_set: Any) -> None:
    _contour(data_set).NumberOfContourPoints = 3


def _other_patient(data_set: Any) -> None:
    data_set.PatientID = "SOMEBODY ELSE"


def _other_study(data_set: Any) -> None:
    data_set.StudyInstanceUID = "1.2.3.7"


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        (_foreign_reference, "references", "refers to 1.2.3.4, expected one that was sent"),
        (_foreign_image_in_list, "references", "refers to instance 1.2.3.4, which was not sent"),
        (_foreign_series, "references", "into series 1.2.3.5, sent in"),
        (_other_frame, "references", "frame of reference 1.2.3.6"),
        (_off_plane, "contours on their images", "mm off the plane of instance"),
        (_outside, "contours on their images", "reaches beyond the border of instance"),
        (_wrong_count, "contours on their images", "is no closed planar contour"),
        (_other_patient, "patient and study", "names another patient"),
        (_other_study, "patient and study", "study 1.2.3.7, which was not sent"),
    ],
)
def test_a_structure_set_with_one_fault_fails_by_that_check(
    cine: dict[str, Header],
    structure_set: Path,
    change: Callable[[Any], None],
    check: str,
    words: str,
) -> None:
    assert not _failed(cine, [structure_set])
    failed = _failed(cine, [_changed(structure_set, change)])
    assert words in failed[check]
    assert "SOMEBODY" not in str(failed)


def test_contours_off_their_image_are_a_fault_and_erase_nothing(
    cine: dict[str, Header], structure_set: Path
) -> None:
    before = judge(cine, [structure_set]).contours

    def double(data_set: Any) -> None:
        for roi in data_set.ROIContourSequence:
            for contour in list(roi.get("ContourSequence", [])):
                again = copy.deepcopy(contour)
                uid = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
                points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
                points += plane_of(cine[uid]).normal
                again.ContourData = [f"{value:.6f}" for value in points.ravel()]
                roi.ContourSequence.append(again)

    doubled = _changed(structure_set, double)
    assert "1.000 mm off the plane" in _failed(cine, [doubled])["contours on their images"]
    after = judge(cine, [doubled]).contours
    assert before.keys() == after.keys()
    for name, by_uid in before.items():
        for uid, polygons in by_uid.items():
            assert len(after[name][uid]) == len(polygons)
            assert all(map(np.array_equal, after[name][uid], polygons))


def test_a_file_that_is_not_dicom_fails(cine: dict[str, Header], tmp_path: Path) -> None:
    path = tmp_path / "noise.dcm"
    path.write_bytes(b"noise" * 100)
    assert "noise.dcm" in _failed(cine, [path])["readable"]


def test_a_structure_set_without_contours_fails(
    cine: dict[str, Header], draw_endocardium: Any, write_structure_set: Any, tmp_path: Path
) -> None:
    headers = list(cine.values())
    masks = {name: mask & False for name, mask in draw_endocardium(headers).items()}
    failed = _failed(cine, [write_structure_set(headers, masks, tmp_path)])
    assert failed == {"contours on their images": "no structure has a contour"}


@pytest.mark.parametrize("what", ["PixelData", "WindowCenter", "ReferencedImageSequence"])
def test_an_image_that_comes_back_changed_fails(
    cine: dict[str, Header], tmp_path: Path, what: str
) -> None:
    def change(data_set: Any) -> None:
        if what == "PixelData":
            pixels = bytearray(data_set.PixelData)
            pixels[1000] ^= 1
            data_set.PixelData = bytes(pixels)
        elif what == "WindowCenter":
            data_set.WindowCenter = 1
        else:
            data_set.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"

    path = tmp_path / "image.dcm"
    shutil.copy(next(iter(cine.values())).path, path)
    assert not _failed(cine, [path])
    words = _failed(cine, [_changed(path, change)])["unchanged images"]
    assert words.endswith(f"came back with other {what}")


@pytest.mark.parametrize(
    "syntax", [pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.RLELossless], ids=["implicit", "RLE"]
)
def test_an_image_in_another_syntax_is_unchanged(
    cine: dict[str, Header], tmp_path: Path, syntax: pydicom.uid.UID
) -> None:
    data_set = pydicom.dcmread(next(iter(cine.values())).path)
    path = tmp_path / "image.dcm"
    if syntax.is_compressed:
        data_set.compress(syntax, generate_instance_uid=False)
        pydicom.dcmwrite(path, data_set)
    else:
        data_set.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, data_set, implicit_vr=True, little_endian=True, force_encoding=True)
    assert not _failed(cine, [path])
    pixels = data_set.pixel_array.copy()
    pixels[7, 11] ^= 1
    data_set.PixelData = pixels.tobytes()
    data_set.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    pydicom.dcmwrite(path, data_set, implicit_vr=True, little_endian=True, force_encoding=True)
    assert "other PixelData" in _failed(cine, [path])["unchanged images"]


def test_one_instance_with_two_contents_fails(
    cine: dict[str, Header], structure_set: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.dcm"
    shutil.copy(structure_set, again)
    assert not _failed(cine, [structure_set, again])
    _changed(again, lambda data_set: setattr(data_set, "StructureSetLabel", "OTHER"))
    assert "2 times with different content" in str(_failed(cine, [structure_set, again]))


def test_a_structure_set_that_comes_twice_counts_once(
    cine: dict[str, Header], structure_set: Path, contour_folder: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.dcm"
    shutil.copy(structure_set, again)
    contours = judge(cine, [structure_set, again]).contours
    truth = read_truth(contour_folder, list(cine.values()))
    assert compare(truth, contours, cine, {})[0].dice == 1.0


def test_dangling_references_of_a_real_structure_set_are_found(
    ct_folder: Path, ct_structure_set: Path
) -> None:
    assert "references" in _failed(headers_of(ct_folder), [ct_structure_set])


@pytest.fixture
def blurred(ct_folder: Path, provenance: Provenance, tmp_path: Path) -> list[Path]:
    """A derived series with the pixels of the CT."""
    volume = read_volume(list(headers_of(ct_folder).values()))
    paths = []
    series = build_derived_series(volume, volume.voxels, provenance, description="Nothing done")
    for index, data_set in enumerate(series):
        paths.append(tmp_path / f"{index}.dcm")
        data_set.save_as(paths[-1], enforce_file_format=True)
    return paths


def test_a_derived_series_is_complete_with_its_last_instance(
    ct_folder: Path, blurred: list[Path]
) -> None:
    sent = headers_of(ct_folder)
    headers = list(headers_of(blurred[0].parent).values())
    assert len(headers) == 51
    assert is_complete(headers, sent, "series")
    assert is_complete(headers, sent, "any")
    assert not is_complete(headers, sent, "structure_set")
    assert not is_complete(headers[1:], sent, "series")
    assert not is_complete(list(sent.values()), sent, "any")


def _moved(data_set: Any) -> None:
    data_set.ImagePositionPatient[0] += 1.0


def _of_elsewhere(data_set: Any) -> None:
    data_set.SourceImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.8"


@pytest.mark.parametrize(
    ("change", "words"),
    [(_moved, "lies 1.000 mm beside its source"), (_of_elsewhere, "names the source 1.2.3.8")],
)
def test_a_derived_image_with_a_fault_fails(
    ct_folder: Path, blurred: list[Path], change: Callable[[Any], None], words: str
) -> None:
    sent = headers_of(ct_folder)
    assert not _failed(sent, blurred)
    _changed(blurred[0], change)
    assert words in _failed(sent, blurred)["derived images"]
