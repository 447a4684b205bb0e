"""Instances are grouped by series; those of several patients or studies are never one series."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import GeometryError, PixelError, SeriesError
from imaging.instances.header import Header
from imaging.series.series import check_one_series, is_image, read_folder


def test_a_folder_is_read_by_uid_at_any_depth_and_what_is_left_out_is_said(
    ct_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    shutil.copy(ct_folder / "000003.dcm", tmp_path / "a" / "b" / "no-suffix")
    shutil.copy(ct_folder / "000004.dcm", tmp_path / "x.txt")
    shutil.copy(ct_folder / "000004.dcm", tmp_path / "y.dcm")
    (tmp_path / "notes.dcm").write_text("not DICOM")
    series, skipped = read_folder(tmp_path)
    assert [header.instance_number for header in series[0].headers] == [3, 4]
    assert len(skipped) == 2
    assert skipped[0].startswith("notes.dcm: ")
    assert skipped[1].startswith("y.dcm: ")
    assert "the same content" in skipped[1]


def test_series_in_one_folder_are_told_apart(ct_folder: Path, ct_structure_set: Path) -> None:
    series, skipped = read_folder(ct_folder.parent)
    assert sorted(len(one.headers) for one in series) == [1, 51]
    assert [line.split(":")[0] for line in skipped] == ["CT_mask.nii.gz"]


def test_a_real_ct_is_one_series_without_warnings(ct_headers: tuple[Header, ...]) -> None:
    assert check_one_series(ct_headers) == []
    assert all(is_image(header) for header in ct_headers)


def test_a_structure_set_is_a_series_but_no_image(ct_structure_set: Path) -> None:
    headers = read_folder(ct_structure_set.parent)[0][0].headers
    assert check_one_series(headers) == []
    assert not is_image(headers[0])


def test_a_dose_has_pixels_but_is_no_image(ct_headers: tuple[Header, ...]) -> None:
    assert not is_image(replace(ct_headers[0], sop_class_uid="1.2.840.10008.5.1.4.1.1.481.2"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"patient_key": "another"}, r"more than one patient \(2, 1 instances\)"),
        ({"study_instance_uid": "1.2"}, "more than one study"),
        ({"series_instance_uid": "1.2"}, "more than one series"),
    ],
)
def test_an_instance_of_another_patient_study_or_series_is_refused(
    ct_headers: tuple[Header, ...], change: Any, words: str
) -> None:
    with pytest.raises(SeriesError, match=words):
        check_one_series([*ct_headers[:2], replace(ct_headers[2], **change)])


def test_the_same_instance_twice_is_refused(ct_headers: tuple[Header, ...]) -> None:
    with pytest.raises(SeriesError, match="2 times, expected once"):
        check_one_series([*ct_headers[:2], ct_headers[0]])


def test_nothing_is_no_series() -> None:
    with pytest.raises(SeriesError, match="without instances"):
        check_one_series([])


def test_two_frames_of_reference_are_refused_with_counts(ct_headers: tuple[Header, ...]) -> None:
    odd = replace(ct_headers[0], frame_of_reference_uid="1.2.3")
    with pytest.raises(GeometryError, match=r"2 frames of reference \(50, 1 instances\)"):
        check_one_series([odd, *ct_headers[1:]])


def test_two_instances_with_two_frames_of_reference_are_refused(
    cine_headers: tuple[Header, ...],
) -> None:
    with pytest.raises(GeometryError, match="2 frames of reference"):
        check_one_series(cine_headers[:2])


def test_a_frame_of_reference_for_every_instance_is_a_warning(
    cine_headers: tuple[Header, ...],
) -> None:
    assert "frame of reference of its own" in check_one_series(cine_headers[:3])[0]


def test_missing_frames_of_reference_are_a_warning(ct_headers: tuple[Header, ...]) -> None:
    bare = [replace(header, frame_of_reference_uid="") for header in ct_headers[:2]]
    warnings = check_one_series([*bare, *ct_headers[2:]])
    assert len(warnings) == 1
    words = "2 of 51 instances without FrameOfReferenceUID, so positions are taken to share one"
    assert words in warnings[0]


def test_an_image_without_pixels_is_refused_by_name(ct_headers: tuple[Header, ...]) -> None:
    empty = replace(ct_headers[7], has_pixel_data=False)
    with pytest.raises(PixelError, match=f"{empty.sop_instance_uid}: CT Image Storage without"):
        check_one_series([*ct_headers[:7], empty])


def test_uids_that_break_the_rules_are_one_warning(cine_headers: tuple[Header, ...]) -> None:
    odd = [warning for warning in check_one_series(cine_headers) if "PS3.5" in warning]
    assert len(odd) == 1
