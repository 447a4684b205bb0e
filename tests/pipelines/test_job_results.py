"""A job's results: whole or not there, the same however often it runs, without names."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from core.errors import ContourError, GeometryError, ModelError, OutputError, PixelError
from core.job import JobRequest, JobResult
from model.inference.checkpoint import load_checkpoint, save_checkpoint
from model.inference.predict import load_segmenter
from pipeline.entry import run_job
from pipeline.kinds.unet import SHIPPED_CHECKPOINT
from tests.support.checkpoints import one_view_checkpoint
from tests.support.jobs import request_for, run
from tests.support.peers import write_series

MakeRequest = Callable[..., JobRequest]


@pytest.fixture
def blur(tmp_path: Path, ct_folder: Path) -> JobRequest:
    """A blur of six CT slices."""
    paths = sorted(ct_folder.glob("*.dcm"))[:6]
    return request_for(paths, tmp_path, "blur", {"sigma_mm": 3.0})


@pytest.fixture
def unet(tmp_path: Path, cine_folder: Path) -> JobRequest:
    """The shipped weights on four images of the cine."""
    paths = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    return request_for(paths, tmp_path, "unet", {"checkpoint_path": one_view_checkpoint()})


@pytest.mark.parametrize("name", ["blur", "unet"])
def test_the_same_job_elsewhere_writes_the_same_bytes(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    job: JobRequest = request.getfixturevalue(name)
    first = run(job)
    second = run(replace(job, output_dir=str(tmp_path / "elsewhere" / "x")))
    assert [one.sha256 for one in first.instances] == [one.sha256 for one in second.instances]
    assert first.instances == second.instances


def test_a_committed_job_is_not_run_again(blur: JobRequest) -> None:
    first = run(blur)
    assert run(replace(blur, instance_paths=("/gone.dcm",))) == first


def test_an_attempt_that_fails_leaves_nothing(blur: JobRequest, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.dcm"
    data_set = pydicom.dcmread(blur.instance_paths[0])
    data_set.PixelData = data_set.PixelData[:-1000]
    data_set.save_as(damaged)
    with pytest.raises(PixelError):
        run(replace(blur, instance_paths=(str(damaged), *blur.instance_paths[1:])))
    assert list((tmp_path / "results").iterdir()) == []


def test_an_attempt_that_loses_the_race_answers_what_was_committed(
    blur: JobRequest, tmp_path: Path
) -> None:
    committed: list[JobResult] = []

    def other_wins(fraction: float, _: str) -> None:
        if fraction == 1.0:
            committed.append(run(blur))

    assert run_job(blur, other_wins, {}) == committed[0]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["b" * 64]


def test_every_phase_is_blurred_on_its_own(ct_folder: Path, tmp_path: Path) -> None:
    slices = sorted(ct_folder.glob("*.dcm"))[:5]

    def second_phase_is_black(data_set: pydicom.FileDataset, index: int) -> None:
        data_set.TemporalPositionIdentifier = 1 + index // 5
        if index >= 5:
            data_set.PixelData = bytes(len(data_set.PixelData))

    paths = write_series([*slices, *slices], tmp_path / "sent", second_phase_is_black)
    result = run(request_for(paths, tmp_path, "blur", {"sigma_mm": 3.0}))
    assert len(result.instances) == 10
    folder = tmp_path / "results" / ("b" * 64)
    images = [pydicom.dcmread(folder / one.path) for one in result.instances]
    black = [one for one in images if int(one.TemporalPositionIdentifier) == 2]
    assert len(black) == 5
    for image in black:
        values = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
        assert abs(values).max() == 0


def test_a_localizer_among_the_slices_is_not_blurred_and_it_is_said(
    ct_folder: Path, tmp_path: Path
) -> None:
    def last_is_a_scout(data_set: pydicom.FileDataset, index: int) -> None:
        if index == 4:
            data_set.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            data_set.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    slices = sorted(ct_folder.glob("*.dcm"))[:5]
    paths = write_series(slices, tmp_path / "sent", last_is_a_scout)
    result = run(request_for(paths, tmp_path, "blur", {"sigma_mm": 3.0}))
    assert len(result.instances) == 4
    assert any("1 of 5 images are localizers" in warning for warning in result.warnings)


def test_reports_and_pictures_hold_no_name(unet: JobRequest, tmp_path: Path) -> None:
    run(unet)
    folder = Path(unet.output_dir)
    text = (folder / "report.json").read_text()
    assert "SCD0000501" not in text
    report = json.loads(text)
    assert report["structures"]["LV_Endocardium"]["volume_ml_by_phase"][0] > 10
    assert report["model"]["intended_use"] == "demonstration"
    assert "left_ventricle is for demonstration" in report["result"]["look_first"]


def test_results_of_a_clinical_model_wait_for_nobody(unet: JobRequest, tmp_path: Path) -> None:
    card, weights = load_checkpoint(Path(one_view_checkpoint()))
    path = tmp_path / "clinical.ckpt"
    save_checkpoint(path, replace(card, intended_use="clinical"), weights)
    parameters = unet.parameters | {"checkpoint_path": str(path)}
    assert run(replace(unet, parameters=parameters)).look_first == ""


def test_results_say_which_weights_and_which_training_data_made_them(unet: JobRequest) -> None:
    result = run(replace(unet, parameters={"checkpoint_path": str(SHIPPED_CHECKPOINT)}))
    folder = Path(unet.output_dir)
    segmenter = load_segmenter(SHIPPED_CHECKPOINT)
    report = json.loads((folder / "report.json").read_text())
    assert report["model"]["sha256"] == segmenter.sha256
    assert report["model"]["training_data"] == segmenter.card.training_fingerprint
    structure_set = pydicom.dcmread(folder / result.instances[0].path)
    description = str(structure_set.StructureSetDescription)
    assert segmenter.sha256 in description
    assert segmenter.card.training_fingerprint in description
    longest = {"ST": 1024, "LO": 64, "SH": 16}
    for element in structure_set.iterall():
        if element.VR in longest:
            assert all(len(one) <= longest[element.VR] for one in _values(element)), element.keyword


def _values(element: pydicom.DataElement) -> list[str]:
    return [str(one) for one in ([element.value] if element.VM < 2 else element.value)]


def test_a_structure_that_the_model_does_not_draw_is_refused_before_it_runs(
    unet: JobRequest,
) -> None:
    asked = {**unet.parameters, "structures": {"Liver": {"name": "LIVER"}}}
    words: list[str] = []
    with pytest.raises(ContourError, match="the model draws no 'Liver', expected one of LV_Endo"):
        run_job(replace(unet, parameters=asked), lambda _, said: words.append(said), {})
    assert not any("segmented" in said for said in words)


def test_a_rectangular_image_gets_contours_within_it(cine_folder: Path, tmp_path: Path) -> None:
    """The checks before sending would refuse a contour that leaves its image."""

    def crop(data_set: pydicom.FileDataset, _: int) -> None:
        pixels = data_set.pixel_array[10:210, 6:246]
        data_set.PixelData, data_set.Rows, data_set.Columns = pixels.tobytes(), 200, 240

    sources = [cine_folder / f"{number}.dcm" for number in (89, 99)]
    paths = write_series(sources, tmp_path / "sent", crop)
    checkpoint = {"checkpoint_path": one_view_checkpoint()}
    result = run(request_for(paths, tmp_path, "unet", checkpoint))
    assert "LV_Endocardium on 2" in result.summary


def test_a_model_refuses_a_series_it_was_not_made_for(ct_folder: Path, tmp_path: Path) -> None:
    paths = sorted(ct_folder.glob("*.dcm"))[:3]
    checkpoint = {"checkpoint_path": one_view_checkpoint()}
    with pytest.raises(ModelError, match="expects MR"):
        run(request_for(paths, tmp_path, "unet", checkpoint))


def test_nothing_found_is_nothing_sent(cine_folder: Path, tmp_path: Path) -> None:
    def black(data_set: pydicom.FileDataset, _: int) -> None:
        data_set.PixelData = bytes(len(data_set.PixelData))

    paths = write_series([cine_folder / "89.dcm"], tmp_path / "sent", black)
    checkpoint = {"checkpoint_path": str(SHIPPED_CHECKPOINT)}
    with pytest.raises(OutputError, match="was found on 1 images: nothing to send"):
        run(request_for(paths, tmp_path, "unet", checkpoint))


def test_a_blur_refuses_a_series_with_two_frames(cine_folder: Path, tmp_path: Path) -> None:
    paths = [cine_folder / f"{number}.dcm" for number in (9, 29)]
    with pytest.raises(GeometryError, match="frame"):
        run(request_for(paths, tmp_path, "blur", {"sigma_mm": 3.0}))


@pytest.mark.parametrize("name", ["blur", "unet"])
def test_progress_never_falls_and_tells_every_step(
    name: str, request: pytest.FixtureRequest
) -> None:
    told: list[tuple[float, str]] = []
    run_job(request.getfixturevalue(name), lambda *one: told.append(one), {})
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    words = " ".join(words for _, words in told)
    steps = {
        "blur": ("headers of 6", "read 6 of 6", "blurred 100%", "wrote 6 of 6", "are checked"),
        "unet": ("headers of 4", "model is loaded", "read 4 of 4", "segmented 4 of 4", "drawn"),
    }
    assert all(step in words for step in steps[name])
