"""Structure sets are read unchanged, and numbers that do not fit together become findings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from core.errors import ContourError
from core.identity import Provenance
from imaging.contours.findings import FindingKind
from imaging.instances.header import Header
from imaging.rtstruct.placement import Reference
from imaging.rtstruct.reader import StructureSet, read_structure_set
from imaging.rtstruct.to_masks import to_masks
from imaging.rtstruct.writer import Roi, build_structure_set

Change = Callable[[Dataset], None]


@pytest.fixture
def read_changed(
    ct_headers: list[Header], provenance: Provenance, tmp_path: Path
) -> Callable[[Change], StructureSet]:
    """Reads a structure set of two structures, `Left` and `Right`, after a change to it."""

    def read(change: Change) -> StructureSet:
        shape = (3, ct_headers[0].rows, ct_headers[0].columns)
        left, right = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        left[1, 10:20, 10:20] = right[1:, 10:20, 40:50] = True
        data_set = build_structure_set(
            ct_headers[:3],
            {"Left": left, "Right": right},
            [Roi("Left", (255, 0, 0), "ORGAN"), Roi("Right", (0, 255, 0))],
            provenance,
            label="AUTO",
        )
        path = tmp_path / "RS.dcm"
        data_set.save_as(path, enforce_file_format=True)
        written = pydicom.dcmread(path)
        change(written)
        written.save_as(path)
        return read_structure_set(path)

    return read


def test_structures_of_one_number_share_the_contours_of_that_number_in_order(
    read_changed: Callable[[Change], StructureSet], ct_headers: list[Header]
) -> None:
    def change(data_set: Dataset) -> None:
        for keyword, number in (
            ("StructureSetROISequence", "ROINumber"),
            ("ROIContourSequence", "ReferencedROINumber"),
        ):
            for item in data_set[keyword].value:
                setattr(item, number, 7)

    read = read_changed(change)
    assert [(roi.number, roi.name, len(roi.contours)) for roi in read.rois] == [
        (7, "Left", 1),
        (7, "Right", 2),
    ]
    assert [finding.kind for finding in read.findings] == [FindingKind.NUMBER_TAKEN] * 2
    assert "1 of 2 items" in str(read.findings[0])
    assert to_masks(read, ct_headers[:3])[1][:2] == list(read.findings)


def test_contours_of_one_structure_in_two_items_are_all_read(
    read_changed: Callable[[Change], StructureSet],
) -> None:
    def change(data_set: Dataset) -> None:
        data_set.ROIContourSequence[1].ReferencedROINumber = 1

    left, right = read_changed(change).rois
    assert (len(left.contours), len(right.contours)) == (3, 0)


def test_contours_whose_number_is_not_listed_make_a_structure_of_their_own(
    read_changed: Callable[[Change], StructureSet], ct_headers: list[Header]
) -> None:
    def change(data_set: Dataset) -> None:
        del data_set.StructureSetROISequence[1]

    read = read_changed(change)
    masks, findings = to_masks(read, ct_headers[:3])
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {"Left": 100, "ROI 2": 200}
    assert [(finding.kind, finding.roi_number) for finding in findings] == [
        (FindingKind.NAMELESS, 2)
    ]


def _without_contours(data_set: Dataset) -> None:
    del data_set.ROIContourSequence[0].ContourSequence


def _with_empty_sequence(data_set: Dataset) -> None:
    data_set.ROIContourSequence[0].ContourSequence = []


def _without_item(data_set: Dataset) -> None:
    del data_set.ROIContourSequence[0]


@pytest.mark.parametrize("change", [_without_contours, _with_empty_sequence, _without_item])
def test_structure_without_contours_is_an_empty_mask_and_said(
    change: Change, read_changed: Callable[[Change], StructureSet], ct_headers: list[Header]
) -> None:
    masks, findings = to_masks(read_changed(change), ct_headers[:3])
    assert not masks["Left"].any()
    assert [(finding.kind, finding.roi_name) for finding in findings] == [
        (FindingKind.EMPTY, "Left")
    ]


def test_number_of_points_that_is_wrong_is_said(
    read_changed: Callable[[Change], StructureSet], ct_headers: list[Header]
) -> None:
    def change(data_set: Dataset) -> None:
        data_set.ROIContourSequence[1].ContourSequence[1].NumberOfContourPoints = 9

    masks, (finding,) = to_masks(read_changed(change), ct_headers[:3])
    assert (finding.kind, finding.contour) == (FindingKind.POINT_COUNT, 2)
    assert "4, not 9" in str(finding)
    assert masks["Right"].sum() == 200


def test_every_reference_of_a_contour_is_read_with_its_frame(
    read_changed: Callable[[Change], StructureSet], ct_headers: list[Header]
) -> None:
    def change(data_set: Dataset) -> None:
        images = data_set.ROIContourSequence[0].ContourSequence[0].ContourImageSequence
        second = Dataset()
        second.ReferencedSOPClassUID = images[0].ReferencedSOPClassUID
        second.ReferencedSOPInstanceUID = "1.2.3"
        second.ReferencedFrameNumber = 4
        images.append(second)

    (contour,) = read_changed(change).rois[0].contours
    assert contour.references == (
        Reference(ct_headers[1].sop_instance_uid),
        Reference("1.2.3", 4),
    )


@pytest.mark.parametrize("value", ["1\\2\\3\\4", "1\\2\\nan", "1\\2\\x"])
def test_contour_whose_numbers_are_no_points_is_refused(
    value: str, read_changed: Callable[[Change], StructureSet]
) -> None:
    def change(data_set: Dataset) -> None:
        item = data_set.ROIContourSequence[0].ContourSequence[0]
        del item.ContourData
        item.add_new(0x30060050, "LT", value)

    with pytest.raises(ContourError, match=r"RS\.dcm|ROI 1, contour 1"):
        read_changed(change)


def test_what_is_not_a_structure_set_is_refused(ct_headers: list[Header], tmp_path: Path) -> None:
    with pytest.raises(ContourError, match="not an RT Structure Set"):
        read_structure_set(ct_headers[0].path)
    (tmp_path / "text.dcm").write_text("text")
    with pytest.raises(ContourError, match="not a readable"):
        read_structure_set(tmp_path / "text.dcm")


def test_structure_set_cut_short_is_refused(ct_structure_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "RS.dcm"
    path.write_bytes(ct_structure_set.read_bytes()[:-4001])
    with pytest.raises(ContourError):
        read_structure_set(path)


def test_structure_set_cut_anywhere_before_its_observations_is_refused(
    ct_structure_set: Path, tmp_path: Path
) -> None:
    content, path = ct_structure_set.read_bytes(), tmp_path / "RS.dcm"
    end = content.rindex(bytes.fromhex("06308000"))  # RTROIObservationsSequence
    begin = content.index(bytes.fromhex("06302000")) + 8  # StructureSetROISequence
    cuts = {*range(0, end, max(1, end // 150)), end - 1, begin - 8, begin - 3, begin, begin + 9}
    for cut in sorted(cuts):
        path.write_bytes(content[:cut])
        with pytest.raises(ContourError, match=r"RS\.dcm: ") as caught:
            read_structure_set(path)
        assert "has no attribute" not in str(caught.value), cut


@pytest.mark.parametrize("keyword", ["StructureSetROISequence", "ROIContourSequence"])
def test_structure_set_without_a_mandatory_sequence_is_refused(
    keyword: str, read_changed: Callable[[Change], StructureSet]
) -> None:
    def change(data_set: Dataset) -> None:
        del data_set[keyword]

    with pytest.raises(ContourError, match=f"no {keyword}, expected"):
        read_changed(change)


@pytest.mark.parametrize("color", [b"red ", b"1\\2 ", b"1\\2\\red "])
def test_a_color_that_is_none_costs_no_structure(
    read_changed: Callable[[Change], StructureSet], color: bytes
) -> None:
    def change(data_set: Dataset) -> None:
        item = data_set.ROIContourSequence[0]
        del item.ROIDisplayColor
        item.add(RawDataElement(Tag("ROIDisplayColor"), "IS", len(color), color, 0, False, True))

    left, right = read_changed(change).rois
    assert left.color_rgb is None
    assert right.color_rgb == (0, 255, 0)
    assert left.contours
