"""Contours as other programs write them keep their voxels: public reports, tried."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, RTStructureSetStorage

from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import read_structure_set
from tests.support.dicom.drawn_contours import counts, drawn, holding
from tests.support.dicom.enhanced import item
from tests.support.dicom.phantom import phantom_instance


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


@pytest.fixture
def headers(tmp_path: Path) -> list[Header]:
    """Four oblique slices of 17 x 29 pixels."""
    found = []
    for number, offset_mm in enumerate((0.0, 2.5, 5.0, 9.0), 1):
        path = tmp_path / f"{number}.dcm"
        phantom_instance(number, offset_mm).save_as(path, enforce_file_format=True)
        found.append(read_header(path))
    return found


def test_a_contour_of_an_eighth_of_a_voxel_takes_no_slice_away(headers: list[Header]) -> None:
    """open-vv/vv#117: three contours on one slice, one of them 0.12 mm wide."""
    outline, small = box(2.5, 1.5, 20.5, 11.5), box(5.6, 4.6, 6.4, 5.4)
    tiny = box(9.1, 6.1, 9.2, 6.2)
    placed, _ = counts(
        holding(*(drawn(headers[1], one) for one in (outline, small, tiny))), headers
    )
    assert placed == [0, 18 * 10 - 1, 0, 0]


def test_a_contour_of_two_points_is_named_and_the_others_are_drawn(headers: list[Header]) -> None:
    """rt-utils#87."""
    line = np.array([(3.0, 3.0), (4.0, 3.0)])
    whole, odd = drawn(headers[1], box(2.5, 1.5, 8.5, 5.5)), drawn(headers[2], line)
    placed, findings = counts(holding(whole, odd), headers)
    assert placed == [0, 24, 0, 0]
    assert {one.contour for one in findings if one.is_dropped} == {2}


def test_a_contour_beyond_the_image_is_cut_at_its_border(headers: list[Header]) -> None:
    """z-rad#252."""
    across, outside = box(-5.5, 1.5, 2.5, 5.5), box(100, 100, 110, 110)
    placed, _ = counts(holding(drawn(headers[1], across), drawn(headers[2], outside)), headers)
    assert placed == [0, 3 * 4, 0, 0]


def test_a_hole_is_a_contour_of_its_own_within(headers: list[Header]) -> None:
    """platipy#244, dcmrtstruct2nii#32, pyTG43#5: an island in the hole is inside again."""
    rings = [box(2.5, 1.5, 14.5, 11.5), box(4.5, 3.5, 12.5, 9.5), box(6.5, 5.5, 8.5, 7.5)]
    placed, _ = counts(holding(*(drawn(headers[1], one) for one in rings)), headers)
    assert placed == [0, 12 * 10 - 8 * 6 + 2 * 2, 0, 0]


def structure_set(contour: Dataset) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    whole.SOPClassUID = meta.MediaStorageSOPClassUID = RTStructureSetStorage
    whole.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = UID("1.2.3.5")
    whole.StudyInstanceUID, whole.SeriesInstanceUID = "1.2.3.7", "1.2.3.55"
    whole.Modality = "RTSTRUCT"
    whole.StructureSetROISequence = [
        item(ROINumber=1, ROIName="GTV", ReferencedFrameOfReferenceUID="1.2.3.6")
    ]
    whole.ROIContourSequence = [item(ReferencedROINumber=1, ContourSequence=[contour])]
    return whole


def test_contour_data_of_more_than_64_kb_is_read_although_its_vr_is_un(
    headers: list[Header], tmp_path: Path
) -> None:
    """pydicom#1530: an explicit VR has 16 bits for the length of a DS, so writers turn it to UN."""
    corners = box(2.5, 1.5, 8.5, 5.5)
    ends = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    outline = np.vstack([np.linspace(*end, 1000, endpoint=False) for end in ends])
    points = drawn(headers[1], outline).points_mm
    text = "\\".join(f"{number:.9f}" for number in points.ravel())
    contour = item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points))
    contour.add_new("ContourData", "UN", text.encode() + b" " * (len(text) % 2))
    path = tmp_path / "RS.dcm"
    structure_set(contour).save_as(path, enforce_file_format=True)
    assert len(text) > 2**16
    assert counts(read_structure_set(path), headers)[0] == [0, 24, 0, 0]
