"""A series goes in over a real association, and the right results come back."""

import json
from pathlib import Path

import h5py
import numpy as np
import pydicom
from PIL import Image

from imaging.derived.blur import gaussian_blur
from imaging.instances.header import read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.series.volume import read_volume
from tests.support.node_process import NodeProcess, Sink, send, series_uid, wait_until

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"


def test_images_go_back_unchanged_and_the_structure_set_last_in_one_association(
    node: NodeProcess, sink: Sink, cine_paths: list[Path], tmp_path: Path
) -> None:
    before = sink.released
    send(node, cine_paths)
    *images, structure_set = sink.wait_for(before + 1)
    sent = {str(pydicom.dcmread(path).SOPInstanceUID): path for path in cine_paths}
    assert sorted(str(image.SOPInstanceUID) for image in images) == sorted(sent)
    for image in images:
        original = pydicom.dcmread(sent[str(image.SOPInstanceUID)])
        assert image.PixelData == original.PixelData
        assert image.FrameOfReferenceUID == original.FrameOfReferenceUID
    assert structure_set.SOPClassUID == RT_STRUCTURE_SET
    assert structure_set.ApprovalStatus == "UNAPPROVED"
    assert structure_set.PatientID == "SCD0000501"
    structure_set.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
    read = read_structure_set(tmp_path / "rs.dcm")
    assert [roi.name for roi in read.rois] == ["LV_Endocardium", "LV_Myocardium"]
    drawn_on = {one.referenced_sop_instance_uid for roi in read.rois for one in roi.contours}
    assert drawn_on == set(sent)


def test_every_job_leaves_its_pixels_a_report_and_a_picture(
    node: NodeProcess, sink: Sink, new_cine: list[Path]
) -> None:
    before = sink.released
    send(node, new_cine)
    sink.wait_for(before + 1)
    history = node.wait_for_state(series_uid(new_cine), "delivered")
    folder = Path(history.result_folders[0])
    with h5py.File(folder / "volume.h5") as file:
        assert file["voxels"].shape == (4, 256, 256)
        assert file["voxels"].chunks == (1, 256, 256)
    report = json.loads((folder / "report.json").read_text())
    assert report["instances"] == 4
    assert report["phases"] == 2
    assert len(report["model"]["sha256"]) == 64
    assert report["structures"]["LV_Endocardium"]["instances"] == 4
    assert Image.open(folder / "overview.png").size[0] > 300


def test_a_blurred_series_comes_back_with_the_values_of_the_blur(
    node: NodeProcess, sink: Sink, new_ct: list[Path]
) -> None:
    before = sink.released
    send(node, new_ct, called="BLUR")
    images = sink.wait_for(before + 1)
    assert len(images) == len(new_ct)
    volume = read_volume([read_header(path) for path in new_ct])
    expected = gaussian_blur(volume.voxels, 3.0, volume.spacing_mm)
    sources = [str(header.sop_instance_uid) for header in volume.headers]
    for image in images:
        index = sources.index(str(image.SourceImageSequence[0].ReferencedSOPInstanceUID))
        found = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
        assert np.abs(found - expected[index]).max() <= 0.5 * float(image.RescaleSlope) + 1e-3
        assert image.ImageType[0] == "DERIVED"
        assert image.SeriesInstanceUID != series_uid(new_ct)
        assert "NOT FOR DOSE" in image.SeriesDescription


def test_the_same_series_again_brings_nothing(
    node: NodeProcess, sink: Sink, new_ct: list[Path]
) -> None:
    before = sink.released
    send(node, new_ct, called="BLUR")
    sink.wait_for(before + 1)
    node.wait_for_state(series_uid(new_ct), "delivered")
    events = len(story_events(node, new_ct))
    send(node, new_ct, called="BLUR")
    node_says_more(node, new_ct, events)
    assert sink.released == before + 1
    assert "nothing new" in story_events(node, new_ct)[-1]


def test_what_the_node_made_is_stored_and_never_processed(
    node: NodeProcess, sink: Sink, new_ct: list[Path], tmp_path: Path
) -> None:
    before = sink.released
    send(node, new_ct, called="BLUR")
    blurred = sink.wait_for(before + 1)
    paths = []
    for number, image in enumerate(blurred):
        path = tmp_path / f"blurred-{number}.dcm"
        image.save_as(path, enforce_file_format=True)
        paths.append(path)
    send(node, paths, called="BLUR")
    history = node.wait_for_state(series_uid(paths), "kept")
    assert history.reason.startswith("made by this node")
    assert sink.released == before + 1


def test_a_series_without_a_rule_is_stored_and_says_why(
    node: NodeProcess, new_ct: list[Path]
) -> None:
    send(node, new_ct)
    history = node.wait_for_state(series_uid(new_ct), "kept")
    assert "no rule of the configuration matches" in history.reason


def test_a_failing_pipeline_keeps_its_case_and_the_next_one_runs(
    node: NodeProcess, sink: Sink, new_cine: list[Path], new_ct: list[Path]
) -> None:
    before = sink.released
    send(node, new_cine, called="BROKEN")
    send(node, new_ct, called="BLUR")
    sink.wait_for(before + 1)
    history = node.wait_for_state(series_uid(new_cine), "failed")
    assert "broken.ckpt" in history.reason
    assert node.wait_for_state(series_uid(new_ct), "delivered")


def story_events(node: NodeProcess, paths: list[Path]) -> list[str]:
    history = node.history(series_uid(paths))
    assert history is not None
    return [words for _, _, words in history.events]


def node_says_more(node: NodeProcess, paths: list[Path], than: int) -> None:
    wait_until(lambda: len(story_events(node, paths)) >= than + 2)
