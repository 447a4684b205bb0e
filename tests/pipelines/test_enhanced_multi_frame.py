"""An enhanced multi-frame instance goes the whole way: each frame is an image of its own."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from core.identity import Provenance
from core.job import JobResult
from imaging.geometry.placement import RULES_2D, RULES_3D, place
from imaging.instances.frames import read_headers
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from imaging.rtstruct.writer import Roi, build_structure_set
from imaging.seg.reader import read_segmentation
from imaging.seg.writer import Algorithm, build_segmentation
from pipeline.checks import check_segmentation
from pipeline.entry import run_job
from tests.support.jobs import request_for
from tests.support.samples import CASES


@pytest.fixture
def provenance() -> Provenance:
    return Provenance("0" * 64, "1.2.826.0.1.3680043.8.498.", datetime.now(UTC), "unet")


@pytest.fixture
def path(zoo: Path) -> Path:
    return next((zoo / "philips_enhanced/anatomical/001").iterdir())


def blurred(path: Path, folder: Path) -> tuple[JobResult, list[pydicom.FileDataset]]:
    request = request_for([path], folder, "blur", {"sigma_mm": 1.0})
    result = run_job(request, lambda *_: None, {})
    return result, [pydicom.dcmread(Path(request.output_dir, one.path)) for one in result.instances]


def test_a_blurred_enhanced_series_comes_back_as_single_frames_in_place(
    path: Path, tmp_path: Path
) -> None:
    result, derived = blurred(path, tmp_path)
    frames = place(read_headers(path), RULES_3D).headers
    assert len(result.instances) == len({one.SOPInstanceUID for one in derived}) == 8
    for data_set, frame in zip(derived, frames, strict=True):
        assert data_set.SOPClassUID.name == "MR Image Storage"
        assert "PerFrameFunctionalGroupsSequence" not in data_set
        assert "NumberOfFrames" not in data_set
        assert frame.image_position_mm == pytest.approx(data_set.ImagePositionPatient)
        assert frame.image_orientation == pytest.approx(data_set.ImageOrientationPatient)
        source = data_set.SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == frame.sop_instance_uid
        assert source.ReferencedFrameNumber == frame.frame_number


def test_contours_on_frames_refer_to_them_and_come_back_identical(
    path: Path, tmp_path: Path, provenance: Provenance
) -> None:
    frames = place(read_headers(path), RULES_2D).headers
    mask = np.zeros((8, 256, 256), dtype=bool)
    mask[2:6, 100:140, 90:120] = True
    mask[4, 110:120, 100:105] = False
    data_set = build_structure_set(
        frames, {"Organ": mask}, [Roi("Organ", (255, 0, 0))], provenance, label="FRAMES"
    )
    data_set.save_as(tmp_path / "rs.dcm")
    structure_set = read_structure_set(tmp_path / "rs.dcm")
    [roi] = structure_set.rois
    assert {one.image for one in roi.contours} == {frames[index].image for index in range(2, 6)}
    masks, findings = to_masks(structure_set, frames)
    assert np.array_equal(masks["Organ"], mask)
    assert findings == []


def test_segments_on_frames_refer_to_them_and_come_back_identical(
    path: Path, tmp_path: Path, provenance: Provenance
) -> None:
    frames = place(read_headers(path), RULES_2D).headers
    mask = np.zeros((8, 256, 256), dtype=bool)
    mask[2:6, 100:140, 90:120] = True
    data_set = build_segmentation(
        frames,
        {"Organ": mask},
        [Roi("Organ", (255, 0, 0))],
        provenance,
        algorithm=Algorithm("unet", "1"),
        label="FRAMES",
    )
    data_set.save_as(tmp_path / "seg.dcm")
    [series] = data_set.ReferencedSeriesSequence
    assert len(series.ReferencedInstanceSequence) == 1
    content = read_segmentation(tmp_path / "seg.dcm")
    assert {one.source for one in content.frames} == {one.image for one in frames[2:6]}
    check_segmentation(content, frames, {"Organ": mask})


def test_contours_and_segments_lie_where_the_standard_puts_a_frame(
    tmp_path: Path, provenance: Provenance
) -> None:
    frames = place(read_headers(CASES / "philips_private_ipp/e.dcm"), RULES_2D).headers
    mask = np.zeros((6, 32, 40), dtype=bool)
    mask[2, 10:20, 5:15] = True
    rois = [Roi("Organ", (255, 0, 0))]
    contours = build_structure_set(frames, {"Organ": mask}, rois, provenance, label="FRAMES")
    points = np.reshape(contours.ROIContourSequence[0].ContourSequence[0].ContourData, (-1, 3))
    # the centre of the first pixel is at (-50, -60) and pixels are 4 mm wide
    assert points.min(axis=0) == pytest.approx([-50 + 4.5 * 4, -60 + 9.5 * 4, -92], abs=0.05)
    assert points.max(axis=0) == pytest.approx([-50 + 14.5 * 4, -60 + 19.5 * 4, -92], abs=0.05)
    segmentation = build_segmentation(
        frames,
        {"Organ": mask},
        rois,
        provenance,
        algorithm=Algorithm("unet", "1"),
        label="FRAMES",
    )
    [groups] = segmentation.PerFrameFunctionalGroupsSequence
    assert groups.PlanePositionSequence[0].ImagePositionPatient == [-50, -60, -92]


def test_frames_without_functional_groups_are_refused_in_words(path: Path, tmp_path: Path) -> None:
    data_set = pydicom.dcmread(path)
    del data_set.PerFrameFunctionalGroupsSequence
    data_set.save_as(tmp_path / "plain.dcm")
    [whole] = read_headers(tmp_path / "plain.dcm")
    assert (whole.number_of_frames, whole.frame_number) == (8, None)
