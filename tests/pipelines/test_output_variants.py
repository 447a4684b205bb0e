"""The configuration decides on names, limits and the number of structure sets."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.config.file import read_configuration
from core.errors import ConfigurationError, ContourError
from core.job import JobRequest
from imaging.instances.header import read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from pipeline.entry import run_job
from pipeline.workspace import read_result
from tests.support.checkpoints import one_view_checkpoint
from tests.support.jobs import request_for

RENAMED = {
    "LV_Endocardium": {
        "name": "Left ventricle, the pool of blood",
        "color_rgb": [1, 2, 3],
        "interpreted_type": "CAVITY",
    }
}


def request(cine_folder: Path, folder: Path, **parameters: Any) -> JobRequest:
    """The shipped model on two phases at two positions."""
    by_position: dict[Any, list[Path]] = {}
    for path in sorted(cine_folder.glob("*.dcm")):
        by_position.setdefault(read_header(path).image_position_mm, []).append(path)
    paths = [path for group in list(by_position.values())[4:6] for path in group]
    values = {"checkpoint_path": one_view_checkpoint(), **parameters}
    return request_for(paths, folder, "unet", values)


def written(job: JobRequest) -> list[Path]:
    result = run_job(job, lambda *_: None, {})
    return [Path(job.output_dir, output.path) for output in result.instances]


def test_phases_come_together_or_apart_with_the_same_contours(
    cine_folder: Path, tmp_path: Path
) -> None:
    (together,) = written(request(cine_folder, tmp_path / "one"))
    job = request(cine_folder, tmp_path / "two", phases="apart")
    apart = written(job)
    headers = [read_header(Path(path)) for path in job.instance_paths]
    whole, _ = to_masks(read_structure_set(together), headers)
    parts = [to_masks(read_structure_set(path), headers)[0] for path in apart]
    assert [pydicom.dcmread(path).StructureSetLabel for path in apart] == [
        "SLICEWIRE P1",
        "SLICEWIRE P2",
    ]
    for name, mask in whole.items():
        assert mask.any()
        assert (mask == (parts[0][name] | parts[1][name])).all()
        assert not (parts[0][name] & parts[1][name]).any()


def test_revision_of_a_phase_refers_to_the_same_phase_before(
    cine_folder: Path, tmp_path: Path
) -> None:
    job = request(cine_folder, tmp_path, phases="apart")
    before = [str(pydicom.dcmread(path).SOPInstanceUID) for path in written(job)]
    again = replace(
        job,
        job_id="c" * 64,
        output_dir=str(tmp_path / "results" / "second"),
        revision=2,
        predecessor_job_id=job.job_id,
        predecessor_uids=dict.fromkeys(reversed(before), "1.2.840.10008.5.1.4.1.1.481.3"),
    )
    data_sets = [pydicom.dcmread(path) for path in written(again)]
    assert [one.StructureSetLabel for one in data_sets] == ["SLICEWIR P1 REV2", "SLICEWIR P2 REV2"]
    items = [one.PredecessorStructureSetSequence[0] for one in data_sets]
    assert [item.ReferencedSOPInstanceUID for item in items] == before


def test_names_colours_and_types_are_the_configured_ones(cine_folder: Path, tmp_path: Path) -> None:
    job = request(cine_folder, tmp_path, structures=RENAMED, variant="eclipse")
    (path,) = written(job)
    roi = read_structure_set(path).rois[0]
    assert (roi.name, roi.color_rgb, roi.interpreted_type) == (
        "Left ventricle,",
        (1, 2, 3),
        "CAVITY",
    )
    listed = pydicom.dcmread(path).StructureSetROISequence[0]
    assert listed.ROIDescription == "Left ventricle, the pool of blood."
    warnings = read_result(Path(job.output_dir)).warnings
    assert any("against TG-263: 33 characters" in warning for warning in warnings)


def test_holes_are_contours_of_their_own_where_that_is_configured(
    cine_folder: Path, tmp_path: Path
) -> None:
    keyholes, excluding = (
        written(request(cine_folder, tmp_path / name, holes=name))[0] for name in ("keyhole", "xor")
    )
    headers = [read_header(path) for path in cine_folder.glob("*.dcm")]
    masks = [to_masks(read_structure_set(one), headers)[0] for one in (keyholes, excluding)]
    assert all((masks[0][name] == masks[1][name]).all() for name in masks[0])
    kinds = {
        contour.ContourGeometricType
        for roi in pydicom.dcmread(excluding).ROIContourSequence
        for contour in roi.ContourSequence
    }
    assert kinds == {"CLOSEDPLANAR_XOR"}


def test_structure_that_the_model_does_not_draw_is_refused(
    cine_folder: Path, tmp_path: Path
) -> None:
    job = request(cine_folder, tmp_path, structures={"Heart": {"name": "Heart"}})
    with pytest.raises(ContourError, match="draws no 'Heart', expected one of LV_Endocardium"):
        run_job(job, lambda *_: None, {})


def test_output_keys_are_parameters_and_part_of_the_fingerprint() -> None:
    def pipeline(**keys: Any) -> Any:
        return read_configuration(None, {"pipelines": {"unet": keys}}).pipelines["unet"]

    plain = pipeline()
    assert set(plain.parameters()) == {"checkpoint_path"}
    changed = [
        pipeline(variant="eclipse"),
        pipeline(phases="apart"),
        pipeline(holes="xor"),
        pipeline(structures={"LV_Endocardium": {"color_rgb": [1, 2, 3]}}),
    ]
    assert len({one.fingerprint() for one in [plain, *changed]}) == 5
    assert changed[0].parameters()["variant"] == "eclipse"
    assert changed[3].parameters()["structures"] == {"LV_Endocardium": {"color_rgb": [1, 2, 3]}}


@pytest.mark.parametrize(
    "keys",
    [
        {"variant": "nobody"},
        {"phases": "each"},
        {"holes": "filled"},
        {"segmentation": "sometimes"},
        {"structures": {"A": {"interpreted_type": "organ"}}},
        {"structures": {"A": {"color_rgb": [1, 2, 256]}}},
        {"structures": {"A": {"name": "x" * 65}}},
        {"structures": {"A": {"colour": [1, 2, 3]}}},
    ],
)
def test_wrong_output_keys_are_named(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(keys))):
        read_configuration(None, {"pipelines": {"unet": keys}})


def test_a_name_that_the_series_cannot_hold_is_spelled_in_ascii_with_a_warning(
    cine_folder: Path, tmp_path: Path
) -> None:
    renamed = {"LV_Endocardium": {"name": "Größe ж"}}
    job = request(cine_folder, tmp_path, structures=renamed, segmentation=True)
    result = run_job(job, lambda *_: None, {})
    paths = [Path(job.output_dir, output.path) for output in result.instances]
    assert read_structure_set(paths[-1]).rois[0].name == "Grosse zh"
    assert any("'Größe ж' is written as 'Grosse zh'" in one for one in result.warnings)
