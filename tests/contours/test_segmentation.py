"""Masks to a DICOM Segmentation and back: every voxel in its place, every frame on its image."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.color import CIELabColor
from pydicom.dataset import FileDataset

from core.errors import SegmentationError
from core.identity import Provenance
from imaging.geometry.placement import RULES_2D, place
from imaging.geometry.plane import corner_shift_mm
from imaging.instances.header import Header
from imaging.rtstruct.writer import Masks, Roi
from imaging.seg.reader import SegmentationContent, read_segmentation
from imaging.seg.writer import NOT_FOUND, Algorithm, build_segmentation
from tests.support.dicom.phantom import Mask

LUNG, TARGET = Roi("Lung_L", (0, 114, 178), "ORGAN"), Roi("PTV_High", (255, 0, 0))
UNET = Algorithm("unet", "1.0")


def build(headers: list[Header], masks: Masks, provenance: Provenance, **more: Any) -> FileDataset:
    rois = [roi for roi in (LUNG, TARGET) if roi.name in masks]
    words: dict[str, Any] = {"label": "AUTO", "algorithm": UNET} | more
    return build_segmentation(headers, masks, rois, provenance, **words)


def saved(data_set: FileDataset, folder: Path) -> Path:
    path = folder / "segmentation.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path


def read_back(data_set: FileDataset, folder: Path) -> SegmentationContent:
    return read_segmentation(saved(data_set, folder))


@pytest.fixture
def sharing(cine_headers: list[Header]) -> list[Header]:
    """The first phase of the cine, as if its images shared a frame of reference."""
    phase = place(cine_headers, RULES_2D).phases[0]
    return [replace(one, frame_of_reference_uid="1.2.3") for one in phase]


@pytest.mark.parametrize("series", ["ct_headers", "sharing"])
def test_masks_come_back_identical_on_the_same_images_in_the_same_places(
    series: str, request: Any, provenance: Provenance, blobs: Any, tmp_path: Path
) -> None:
    headers: list[Header] = request.getfixturevalue(series)
    masks = {"Lung_L": blobs(headers, 1), "PTV_High": blobs(headers, 2)}
    found = read_back(build(headers, masks, provenance), tmp_path)
    by_image = {header.image: header for header in headers}
    assert all(corner_shift_mm(one.place, by_image[one.source]) < 1e-9 for one in found.frames)
    for name, mask in found.masks(headers).items():
        assert np.array_equal(mask, masks[name])
    planes = sum(int(mask.any(axis=(1, 2)).sum()) for mask in masks.values())
    assert len(found.frames) == planes


def test_an_oblique_anisotropic_series_with_uneven_gaps_comes_back_identical(
    write_phantom: Any, blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    headers = write_phantom()
    masks = {"Lung_L": blobs(headers, 3)}
    found = read_back(build(headers, masks, provenance), tmp_path)
    assert np.array_equal(found.masks(headers)["Lung_L"], masks["Lung_L"])
    by_image = {header.image: header for header in headers}
    for frame in found.frames:
        assert frame.place.image_position_mm == by_image[frame.source].image_position_mm
        assert frame.place.pixel_spacing_mm == (1.3, 0.7)


def test_highdicom_reads_the_same_mask_by_source_instance(
    ct_headers: list[Header], blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    masks = {"Lung_L": blobs(ct_headers, 1), "PTV_High": blobs(ct_headers, 2)}
    path = saved(build(ct_headers, masks, provenance), tmp_path)
    reader = highdicom.seg.segread(path)
    uids = [header.sop_instance_uid for header in ct_headers]
    theirs = reader.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    assert np.array_equal(theirs, np.stack(list(masks.values()), axis=-1))


def test_directions_that_differ_a_little_are_kept_image_by_image(
    write_phantom: Any, blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    headers = write_phantom()
    turned = (0.8001, 0.5999, 0.0, -0.36, 0.48, 0.8)
    headers[2] = replace(headers[2], image_orientation=turned, pixel_spacing_mm=(1.3, 0.70001))
    mask = blobs(headers, 3) | True
    found = read_back(build(headers, {"Lung_L": mask}, provenance), tmp_path)
    places = {frame.source: frame.place for frame in found.frames}
    for header in headers:
        assert places[header.image].image_orientation == header.image_orientation
        assert places[header.image].pixel_spacing_mm == header.pixel_spacing_mm


def test_a_structure_that_was_not_found_is_a_segment_that_says_so(
    ct_headers: list[Header], blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    masks = {"Lung_L": blobs(ct_headers, 1)}
    masks["PTV_High"] = np.zeros_like(masks["Lung_L"])
    data_set = build(ct_headers, masks, provenance)
    assert "SegmentDescription" not in data_set.SegmentSequence[0]
    assert data_set.SegmentSequence[1].SegmentDescription == NOT_FOUND
    assert not read_back(data_set, tmp_path).masks(ct_headers)["PTV_High"].any()


def test_segments_have_codes_colour_algorithm_and_a_name_to_track_them_by(
    ct_headers: list[Header], blobs: Any, provenance: Provenance
) -> None:
    masks = {"Lung_L": blobs(ct_headers, 1), "PTV_High": blobs(ct_headers, 2)}
    lung, target = build(ct_headers, masks, provenance).SegmentSequence
    assert lung.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Anatomical Structure"
    kind = lung.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("39607008", "SCT")
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Left"
    assert target.SegmentedPropertyTypeCodeSequence[0].CodeValue == "228793007"
    assert (lung.SegmentAlgorithmType, lung.SegmentAlgorithmName) == ("AUTOMATIC", "unet")
    assert lung.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "1.0"
    color = CIELabColor.from_dicom_value(lung.RecommendedDisplayCIELabValue)
    assert np.abs(np.subtract(color.to_rgb(), LUNG.color_rgb)).max() <= 1
    later = build(ct_headers, masks, replace(provenance, job_id="job 2", revision=2))
    assert later.SegmentSequence[0].TrackingUID == lung.TrackingUID != target.TrackingUID
    assert later.ContentLabel == "AUTO REV2"


def test_the_same_job_writes_the_same_bytes(
    ct_headers: list[Header], blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    masks = {"Lung_L": blobs(ct_headers, 1)}
    first = saved(build(ct_headers, masks, provenance), tmp_path).read_bytes()
    assert saved(build(ct_headers, masks, provenance), tmp_path).read_bytes() == first
    data_set = build(ct_headers, masks, provenance)
    assert data_set.ContentDate == data_set.InstanceCreationDate == "20260309"
    assert data_set.ContentTime == data_set.InstanceCreationTime == "140506"


def test_patient_and_study_are_the_sources_odd_values_included(
    write_phantom: Any, blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    values = {
        "StudyInstanceUID": "1.2.03.7",
        "FrameOfReferenceUID": "1.2.03.6",
        "SeriesInstanceUID": "1.2.03.8",
        "PatientName": "Müller^Jörg",
        "SpecificCharacterSet": "ISO_IR 100",
        "PatientBirthDate": "00000000",
        "StudyDate": "20120000",
        "StudyTime": "",
        "PatientSex": "?",
    }
    headers = write_phantom(**values)
    path = saved(build(headers, {"Lung_L": blobs(headers, 3)}, provenance), tmp_path)
    written, source = pydicom.dcmread(path), pydicom.dcmread(headers[0].path)
    for keyword in [*values, "PatientID"]:
        if keyword != "SeriesInstanceUID":
            assert written[keyword].value == source[keyword].value, keyword
    assert (written.StudyID, written.AccessionNumber) == ("", "")
    [series] = written.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == "1.2.03.8"
    listed = [str(one.ReferencedSOPInstanceUID) for one in series.ReferencedInstanceSequence]
    assert listed == [header.sop_instance_uid for header in headers]


def test_a_source_without_a_frame_of_reference_gets_that_of_its_structure_set(
    write_phantom: Any, blobs: Any, provenance: Provenance
) -> None:
    headers = write_phantom(FrameOfReferenceUID="")
    data_set = build(headers, {"Lung_L": blobs(headers, 3)}, provenance)
    assert data_set.FrameOfReferenceUID == provenance.uid("frame of reference")


def test_a_source_in_big_endian_or_with_explicit_vr_makes_no_difference(
    write_phantom: Any, blobs: Any, provenance: Provenance, tmp_path: Path
) -> None:
    headers = write_phantom(PatientSize="1.75")
    first = saved(build(headers, {"Lung_L": blobs(headers, 3)}, provenance), tmp_path).read_bytes()
    for header in headers:
        data_set = pydicom.dcmread(header.path)
        data_set.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
        pydicom.dcmwrite(header.path, data_set, implicit_vr=False, little_endian=False)
    again = saved(build(headers, {"Lung_L": blobs(headers, 3)}, provenance), tmp_path).read_bytes()
    assert again == first


def test_several_frames_of_reference_are_refused_with_their_number(
    cine_headers: list[Header], blobs: Any, provenance: Provenance
) -> None:
    masks: dict[str, Mask] = {"Lung_L": blobs(cine_headers, 1)}
    with pytest.raises(SegmentationError, match="22 frames of reference, expected one"):
        build(cine_headers, masks, provenance)


def test_several_images_at_a_position_are_refused_with_their_number(
    cine_headers: list[Header], blobs: Any, provenance: Provenance
) -> None:
    headers = [replace(one, frame_of_reference_uid="1.2.3") for one in cine_headers]
    with pytest.raises(SegmentationError, match="22 images at 11 positions"):
        build(headers, {"Lung_L": blobs(headers, 1)}, provenance)


@pytest.mark.parametrize("thickness", ["", "0", "2.5"])
def test_slice_thickness_is_that_of_the_source_or_the_distance_of_images(
    write_phantom: Any, blobs: Any, provenance: Provenance, thickness: str
) -> None:
    headers = write_phantom((0.0, 3.0, 6.0), SliceThickness=thickness)
    data_set = build(headers, {"Lung_L": blobs(headers, 3)}, provenance)
    [measures] = data_set.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.SliceThickness == (2.5 if thickness == "2.5" else 3.0)


def test_nothing_found_is_refused(
    ct_headers: list[Header], blobs: Any, provenance: Provenance
) -> None:
    mask = blobs(ct_headers, 1)
    with pytest.raises(SegmentationError, match="no voxel of Lung_L was found"):
        build(ct_headers, {"Lung_L": mask & False}, provenance)


def test_what_is_no_segmentation_is_refused(ct_headers: list[Header], tmp_path: Path) -> None:
    with pytest.raises(SegmentationError, match="not a Segmentation"):
        read_segmentation(ct_headers[0].path)
    text = tmp_path / "text"
    text.write_text("none")
    with pytest.raises(SegmentationError, match="not a readable Segmentation"):
        read_segmentation(text)
