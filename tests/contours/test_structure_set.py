"""Structure sets are exact, complete and refer to the right instances."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRLittleEndian

from core.errors import ContourError
from core.identity import Provenance
from imaging.contours.findings import FindingKind
from imaging.derived.provenance import is_made_here
from imaging.instances.header import Header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from imaging.rtstruct.writer import NOT_FOUND, Roi, build_structure_set

Mask = npt.NDArray[np.bool_]
MakeMask = Callable[[list[Header], int], Mask]
Phantom = Callable[..., list[Header]]

RED = Roi("LV endocardium", (230, 25, 75), "ORGAN", "blood pool")
BLUE = Roi("Myo", (0, 130, 200))


@pytest.fixture
def build(provenance: Provenance, blobs: MakeMask) -> Callable[[list[Header]], FileDataset]:
    """A structure set of two ROIs, the second one empty."""

    def built(headers: list[Header]) -> FileDataset:
        mask = blobs(headers, 5)
        masks = {RED.name: mask, BLUE.name: np.zeros_like(mask)}
        return build_structure_set(headers, masks, [RED, BLUE], provenance, label="AUTO")

    return built


def saved(data_set: FileDataset, folder: Path) -> Path:
    path = folder / "structure_set.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("series", ["ct_headers", "cine_headers"])
def test_masks_of_real_series_come_back_the_same(
    series: str,
    request: pytest.FixtureRequest,
    build: Callable[[list[Header]], FileDataset],
    blobs: MakeMask,
    tmp_path: Path,
) -> None:
    headers: list[Header] = request.getfixturevalue(series)
    structure_set = read_structure_set(saved(build(headers), tmp_path))
    masks, findings = to_masks(structure_set, headers)
    assert [finding.kind for finding in findings] == [FindingKind.EMPTY]
    assert np.array_equal(masks[RED.name], blobs(headers, 5))
    assert not masks[BLUE.name].any()


def test_masks_of_an_oblique_uneven_series_come_back_the_same(
    write_phantom: Phantom,
    build: Callable[[list[Header]], FileDataset],
    blobs: MakeMask,
    tmp_path: Path,
) -> None:
    headers = write_phantom()
    masks, findings = to_masks(read_structure_set(saved(build(headers), tmp_path)), headers)
    assert [finding.kind for finding in findings] == [FindingKind.EMPTY]
    assert np.array_equal(masks[RED.name], blobs(headers, 5))


def test_single_pixel_lies_where_its_own_instance_has_it(
    write_phantom: Phantom, provenance: Provenance, tmp_path: Path
) -> None:
    headers = write_phantom()
    mask = np.zeros((4, headers[0].rows, headers[0].columns), dtype=bool)
    mask[2, 3, 11] = True
    data_set = build_structure_set(headers, {"Myo": mask}, [BLUE], provenance, label="AUTO")
    (contour,) = read_structure_set(saved(data_set, tmp_path)).rois[0].contours
    header = headers[2]
    assert header.image_position_mm is not None
    # PS3.3 C.7.6.2.1.1 written out: row spacing 1.3 mm, column spacing 0.7 mm
    expected = (
        np.array(header.image_position_mm)
        + 11 * 0.7 * np.array([0.8, 0.6, 0.0])
        + 3 * 1.3 * np.array([-0.36, 0.48, 0.8])
    )
    assert np.allclose(contour.points_mm.mean(axis=0), expected, atol=1e-4)
    assert contour.referenced_sop_instance_uid == header.sop_instance_uid


def test_each_phase_of_a_cine_series_keeps_its_own_contours(
    cine_headers: list[Header], provenance: Provenance, tmp_path: Path
) -> None:
    shape = (len(cine_headers), cine_headers[0].rows, cine_headers[0].columns)
    mask = np.zeros(shape, dtype=bool)
    for index in range(len(mask)):
        mask[index, 40 + index : 50, 60:70] = True
    mask[:, :, 65] = False
    data_set = build_structure_set(cine_headers, {"Myo": mask}, [BLUE], provenance, label="AUTO")
    masks, findings = to_masks(read_structure_set(saved(data_set, tmp_path)), cine_headers)
    assert findings == []
    assert np.array_equal(masks["Myo"], mask)


def test_every_frame_of_reference_lists_its_own_instances(
    cine_headers: list[Header], build: Callable[[list[Header]], FileDataset], tmp_path: Path
) -> None:
    data_set = pydicom.dcmread(saved(build(cine_headers), tmp_path))
    frames = data_set.ReferencedFrameOfReferenceSequence
    listed = {
        str(image.ReferencedSOPInstanceUID): str(frame.FrameOfReferenceUID)
        for frame in frames
        for image in frame.RTReferencedStudySequence[0]
        .RTReferencedSeriesSequence[0]
        .ContourImageSequence
    }
    assert listed == {
        header.sop_instance_uid: header.frame_of_reference_uid for header in cine_headers
    }
    assert len(frames) == 22
    first = cine_headers[0].frame_of_reference_uid
    assert data_set.FrameOfReferenceUID == first
    assert {roi.ReferencedFrameOfReferenceUID for roi in data_set.StructureSetROISequence} == {
        first
    }


def test_series_without_frame_of_reference_gets_one_of_the_job(
    write_phantom: Phantom, build: Callable[[list[Header]], FileDataset], provenance: Provenance
) -> None:
    data_set = build(write_phantom(FrameOfReferenceUID=""))
    (frame,) = data_set.ReferencedFrameOfReferenceSequence
    assert frame.FrameOfReferenceUID == provenance.uid("frame of reference")
    assert data_set.FrameOfReferenceUID == frame.FrameOfReferenceUID


def test_patient_and_study_are_copied_byte_for_byte(
    cine_headers: list[Header], build: Callable[[list[Header]], FileDataset], tmp_path: Path
) -> None:
    written = pydicom.dcmread(saved(build(cine_headers), tmp_path))
    source = pydicom.dcmread(cine_headers[0].path, stop_before_pixels=True)
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "StudyInstanceUID",
        "StudyDate",
    ):
        assert written.get_item(keyword).value == source.get_item(keyword).value
    assert written.SpecificCharacterSet == source.SpecificCharacterSet
    assert written.PatientBirthDate == "00000000"
    assert written.ReferringPhysicianName == ""


def test_what_the_object_says_of_itself(
    ct_headers: list[Header], build: Callable[[list[Header]], FileDataset], provenance: Provenance
) -> None:
    data_set = build(ct_headers[:8])
    assert data_set.Modality == "RTSTRUCT"
    assert data_set.ApprovalStatus == "UNAPPROVED"
    assert data_set.SOPInstanceUID == provenance.uid("structure set")
    assert data_set.SeriesInstanceUID == provenance.uid("structure set series")
    assert (data_set.StructureSetDate, data_set.StructureSetTime) == ("20260309", "140506")
    assert {roi.ROIGenerationAlgorithm for roi in data_set.StructureSetROISequence} == {"AUTOMATIC"}
    observations = data_set.RTROIObservationsSequence
    assert [item.RTROIInterpretedType for item in observations] == ["ORGAN", ""]
    assert is_made_here(data_set)


def test_long_description_of_several_lines_becomes_one_line_where_one_must_be(
    ct_headers: list[Header], provenance: Provenance
) -> None:
    headers = ct_headers[:2]
    mask = np.zeros((2, headers[0].rows, headers[0].columns), dtype=bool)
    text = "Left ventricle,\nfrom C:\\models " + "x" * 60
    data_set = build_structure_set(
        headers, {"Myo": mask}, [BLUE], provenance, label="AUTO", description=text
    )
    assert data_set.SeriesDescription == ("Left ventricle, from C:/models " + "x" * 60)[:64]
    assert data_set.StructureSetDescription.startswith(text)


def test_empty_structure_is_kept_and_says_so(
    ct_headers: list[Header], build: Callable[[list[Header]], FileDataset]
) -> None:
    data_set = build(ct_headers[:8])
    found, empty = data_set.StructureSetROISequence
    assert (found.ROIDescription, empty.ROIDescription) == ("blood pool", NOT_FOUND)
    assert "ContourSequence" in data_set.ROIContourSequence[0]
    assert "ContourSequence" not in data_set.ROIContourSequence[1]


def test_contours_of_an_axial_image_have_exactly_its_z(
    ct_headers: list[Header], build: Callable[[list[Header]], FileDataset], tmp_path: Path
) -> None:
    structure_set = read_structure_set(saved(build(ct_headers[:8]), tmp_path))
    z_mm = {header.sop_instance_uid: header.image_position_mm[2] for header in ct_headers
            if header.image_position_mm}  # fmt: skip
    contours = structure_set.rois[0].contours
    assert len({contour.referenced_sop_instance_uid for contour in contours}) == 8 - 1
    for contour in contours:
        assert set(contour.points_mm[:, 2]) == {z_mm[contour.referenced_sop_instance_uid]}


def test_long_contours_are_cut_below_the_limit_of_an_element(
    ct_headers: list[Header], provenance: Provenance, tmp_path: Path
) -> None:
    headers = ct_headers[:2]
    mask = np.zeros((2, headers[0].rows, headers[0].columns), dtype=bool)
    mask[0, ::2] = mask[0, :, 0] = True
    mask[0, 1::2, 1::2] = True
    data_set = build_structure_set(headers, {"Myo": mask}, [BLUE], provenance, label="AUTO")
    path = saved(data_set, tmp_path)
    written = pydicom.dcmread(path).ROIContourSequence[0].ContourSequence
    assert len(written) > 1
    values = [item.get_item("ContourData").value for item in written]
    assert max(map(len, values)) < 65_534
    assert max(len(number) for value in values for number in value.split(b"\\")) <= 16
    assert np.array_equal(to_masks(read_structure_set(path), headers)[0]["Myo"], mask)


def test_peer_that_takes_only_explicit_vr_gets_the_same_contours(
    cine_headers: list[Header], build: Callable[[list[Header]], FileDataset], tmp_path: Path
) -> None:
    implicit = pydicom.dcmread(saved(build(cine_headers[:6]), tmp_path))
    before = read_structure_set(tmp_path / "structure_set.dcm")
    implicit.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    implicit.save_as(tmp_path / "explicit.dcm", implicit_vr=False, little_endian=True)
    after = read_structure_set(tmp_path / "explicit.dcm")
    assert before.referenced_sop_instance_uids == after.referenced_sop_instance_uids
    for first, second in zip(before.rois[0].contours, after.rois[0].contours, strict=True):
        assert np.array_equal(first.points_mm, second.points_mm)


def test_same_job_writes_the_same_bytes(
    ct_headers: list[Header], build: Callable[[list[Header]], FileDataset], tmp_path: Path
) -> None:
    first = saved(build(ct_headers[:8]), tmp_path).read_bytes()
    assert saved(build(ct_headers[:8]), tmp_path).read_bytes() == first


@pytest.mark.parametrize("source_set", ["", "ISO_IR 192", "ISO_IR 100"])
def test_names_are_written_in_the_sources_character_set(
    source_set: str, write_phantom: Phantom, provenance: Provenance, tmp_path: Path
) -> None:
    headers = write_phantom(SpecificCharacterSet=source_set)
    mask = np.ones((4, headers[0].rows, headers[0].columns), dtype=bool)
    rois = [Roi("Größe", (1, 2, 3))]
    data_set = build_structure_set(headers, {"Größe": mask}, rois, provenance, label="AUTO")
    path = saved(data_set, tmp_path)
    assert read_structure_set(path).rois[0].name == "Größe"
    assert pydicom.dcmread(path).SpecificCharacterSet == (source_set or "ISO_IR 192")
    assert pydicom.dcmread(path).PatientName == "Phantom^Oblique"


@pytest.mark.parametrize(
    ("roi", "words"),
    [
        (Roi("x" * 65, (0, 0, 0)), "1 to 64"),
        (Roi("a\\b", (0, 0, 0)), "backslash"),
        (Roi("a\nb", (0, 0, 0)), "control"),
        (Roi("a\x1bb", (0, 0, 0)), "control"),
        (Roi("Myo", (0, 0, 256)), "Colour"),
        (Roi("Myo", (0, 0, 0), "organ"), "capitals"),
    ],
)
def test_text_that_breaks_a_limit_is_refused(
    roi: Roi, words: str, ct_headers: list[Header], provenance: Provenance
) -> None:
    mask = np.zeros((len(ct_headers), ct_headers[0].rows, ct_headers[0].columns), dtype=bool)
    with pytest.raises(ContourError, match=words):
        build_structure_set(ct_headers, {roi.name: mask}, [roi], provenance, label="AUTO")


def test_masks_that_do_not_fit_the_series_are_refused(
    ct_headers: list[Header], provenance: Provenance
) -> None:
    turned = np.zeros((len(ct_headers), ct_headers[0].columns, ct_headers[0].rows), dtype=bool)
    with pytest.raises(ContourError, match=r"\(51, 154, 158\), expected \(51, 158, 154\)"):
        build_structure_set(ct_headers, {"Myo": turned}, [BLUE], provenance, label="AUTO")
    with pytest.raises(ContourError, match="one of each by name"):
        build_structure_set(ct_headers, {"Other": turned}, [BLUE], provenance, label="AUTO")
    with pytest.raises(ContourError, match="1 to 16 characters"):
        build_structure_set(ct_headers, {"Myo": turned}, [BLUE], provenance, label="x" * 17)
