"""With `segmentation: true` a DICOM Segmentation goes out before the structure set."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import RTStructureSetStorage, SegmentationStorage

from core.config.file import read_configuration
from core.errors import OutputError
from core.job import JobRequest, JobResult
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header, read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from imaging.seg.reader import read_segmentation
from imaging.seg.writer import build_segmentation
from pipeline.entry import run_job
from tests.support.checkpoints import one_view_checkpoint
from tests.support.jobs import request_for
from tests.support.peers import write_series


@pytest.fixture(scope="session")
def values() -> dict[str, Any]:
    """What the pipeline is configured with."""
    return {"checkpoint_path": one_view_checkpoint(), "segmentation": True}


@pytest.fixture
def cine(cine_folder: Path, tmp_path: Path) -> list[Path]:
    """Two phases at each of two positions, in one frame of reference."""
    sources = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    return write_series(sources, tmp_path / "sent")


def run(request: JobRequest) -> JobResult:
    return run_job(request, lambda *_: None, {})


def read_results(request: JobRequest) -> list[Path]:
    return [Path(request.output_dir, one.path) for one in run(request).instances]


def test_one_for_each_phase_comes_before_the_structure_set_with_the_same_masks(
    cine: list[Path], tmp_path: Path, values: dict[str, Any]
) -> None:
    request = request_for(cine, tmp_path, "unet", values)
    *paths, structure_set = read_results(request)
    assert [pydicom.dcmread(one).SOPClassUID for one in paths] == [SegmentationStorage] * 2
    assert pydicom.dcmread(structure_set).SOPClassUID == RTStructureSetStorage
    headers = [read_header(path) for path in cine]
    drawn, _ = to_masks(read_structure_set(structure_set), headers)
    found = [read_segmentation(path) for path in paths]
    parts = [one.masks(headers) for one in found]
    for name, mask in drawn.items():
        assert mask.any()
        assert np.array_equal(parts[0][name] | parts[1][name], mask)
        assert not (parts[0][name] & parts[1][name]).any()
    assert len({one.header.series_instance_uid for one in found}) == 1
    labels = [pydicom.dcmread(one).ContentLabel for one in paths]
    assert labels == ["SLICEWIRE P1", "SLICEWIRE P2"]


def test_it_is_left_out_unless_configured(
    cine: list[Path], tmp_path: Path, values: dict[str, Any]
) -> None:
    request = request_for(cine, tmp_path, "unet", values | {"segmentation": False})
    assert [one.sop_class_uid for one in run(request).instances] == [RTStructureSetStorage]


def test_the_same_job_elsewhere_writes_the_same_bytes(
    cine: list[Path], tmp_path: Path, values: dict[str, Any]
) -> None:
    request = request_for(cine, tmp_path, "unet", values)
    first, second = run(request), run(replace(request, output_dir=str(tmp_path / "elsewhere")))
    assert first.instances == second.instances


def test_the_report_says_how_many_there_are(
    cine: list[Path], tmp_path: Path, values: dict[str, Any]
) -> None:
    request = request_for(cine, tmp_path, "unet", values)
    run(request)
    report = json.loads(Path(request.output_dir, "report.json").read_text())
    assert report["segmentation"] == {"instances": 2}
    classes = [one["sop_class_uid"] for one in report["result"]["instances"]]
    assert classes == [SegmentationStorage, SegmentationStorage, RTStructureSetStorage]


def test_a_frame_of_reference_for_each_image_leaves_the_structure_set_and_a_reason(
    cine_folder: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    sources = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    request = request_for(sources, tmp_path, "unet", values)
    result = run(request)
    assert [one.sop_class_uid for one in result.instances] == [RTStructureSetStorage]
    assert any("No segmentation: " in one and "4 frames" in one for one in result.warnings)
    report = json.loads(Path(request.output_dir, "report.json").read_text())
    assert report["segmentation"]["instances"] == 0


def test_a_segmentation_beside_its_image_is_not_sent(
    cine: list[Path], tmp_path: Path, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(headers: Any, *args: Any, **words: Any) -> Any:
        return build_segmentation([_moved(one) for one in headers], *args, **words)

    def _moved(header: Header) -> Header:
        beside = plane_of(header).origin_mm + 0.5
        return replace(header, image_position_mm=tuple(beside))

    monkeypatch.setattr("pipeline.segmentation.segmentations.build_segmentation", shifted)
    with pytest.raises(OutputError, match=r"frame lies 0\.866 mm beside instance"):
        run(request_for(cine, tmp_path, "unet", values))


def test_a_segmentation_with_another_mask_is_not_sent(
    cine: list[Path], tmp_path: Path, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shaved(headers: Any, masks: Any, *args: Any, **words: Any) -> Any:
        masks = masks | {"LV_Endocardium": np.roll(masks["LV_Endocardium"], 1, axis=2)}
        return build_segmentation(headers, masks, *args, **words)

    monkeypatch.setattr("pipeline.segmentation.segmentations.build_segmentation", shaved)
    with pytest.raises(OutputError, match=r"Segment LV_Endocardium on instance .* is not the mask"):
        run(request_for(cine, tmp_path, "unet", values))


def test_a_segmentation_that_lacks_a_frame_is_not_sent(
    cine: list[Path], tmp_path: Path, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(headers: Any, masks: Any, *args: Any, **words: Any) -> Any:
        masks = {name: mask.copy() for name, mask in masks.items()}
        masks["LV_Endocardium"][0] = False
        return build_segmentation(headers, masks, *args, **words)

    monkeypatch.setattr("pipeline.segmentation.segmentations.build_segmentation", cut)
    with pytest.raises(OutputError, match="lacks 1 frames"):
        run(request_for(cine, tmp_path, "unet", values))


def test_the_setting_is_part_of_the_jobs_identity() -> None:
    def pipeline(**keys: Any) -> Any:
        return read_configuration(None, {"pipelines": {"unet": keys}}).pipelines["unet"]

    assert pipeline(segmentation=True).fingerprint() != pipeline().fingerprint()
    assert pipeline(segmentation=False).fingerprint() == pipeline().fingerprint()
    assert pipeline(segmentation=True).parameters()["segmentation"] is True
