"""ROI names that a series cannot hold are told of when its job is submitted."""

import pickle
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.support.completion import Start
from tests.support.dicom.raw_texts import write_series

NAMES = {"LV_Endocardium": {"name": "Größe ж"}, "LV_Myocardium": {"name": "Herz"}}
PIPELINES = {"letters": {"kind": "unet", "structures": NAMES}}
CARD = {
    "name": "small",
    "version": "1",
    "intended_use": "demonstration",
    "modalities": ("CT",),
    "pixel_spacing_range_mm": (0.5, 3.0),
    "training_fingerprint": "0" * 64,
    "training_instances": 0,
    "encoder_widths": (4, 6),
    "working_spacing_mm": 2.0,
    "percentiles": (1.0, 99.0),
    "views": 1,
}
FINISHING = {"threshold": 0.5, "largest_component": True, "fill_holes": False, "without": ()}


def write_model(path: Path, names: Iterable[str]) -> None:
    """The part of a checkpoint that has its card."""
    structures = [
        {"name": name, "color_rgb": (1, 2, 3), "interpreted_type": "ORGAN"} for name in names
    ]
    card = CARD | {"structures": structures, "finishing": [FINISHING] * len(structures)}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"card": card, "weights": {}}))


@pytest.mark.parametrize(
    ("character_set", "is_told"), [(b"ISO_IR 100", True), (b"ISO_IR 192", False), (None, True)]
)
def test_a_name_that_will_be_spelled_in_ascii_is_told_once(
    start: Start, tmp_path: Path, character_set: bytes | None, is_told: bool
) -> None:
    pipelines = {"letters": PIPELINES["letters"] | {"checkpoint_path": tmp_path / "model.ckpt"}}
    completion = start(pipeline="letters", pipelines=pipelines, checkpoint_path=None)
    (tmp_path / "in").mkdir()
    paths = write_series(tmp_path / "in", character_set, ExplicitVRLittleEndian)
    for _ in range(2):
        completion.send(paths)
        completion.settle()
    assert len(completion.jobs(paths)) == 1
    told = [words for words in completion.words(paths) if "Größe" in words]
    assert len(told) == is_told
    if told:
        assert "ROI 'Größe ж' is written as 'Grosse zh'" in told[0]
        assert "Herz" not in told[0]


def test_names_of_the_model_itself_are_told_as_they_will_be_written(
    start: Start, tmp_path: Path
) -> None:
    model = tmp_path / "own.ckpt"
    write_model(model, ["Größe ж", "心臓", "Herz"])
    settings = {"kind": "unet", "checkpoint_path": model, "structures": {"心臓": {"name": "Heart"}}}
    completion = start(pipeline="own", pipelines={"own": settings}, checkpoint_path=None)
    (tmp_path / "in").mkdir()
    paths = write_series(tmp_path / "in", b"ISO_IR 100", ExplicitVRLittleEndian)
    completion.send(paths)
    completion.settle()
    [told] = [words for words in completion.words(paths) if "is written as" in words]
    assert "ROI 'Größe ж' is written as 'Grosse zh'" in told
