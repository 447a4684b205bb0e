"""ROI names that a series cannot hold are told of when its job is submitted."""

from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.support.completion import Start
from tests.support.dicom.raw_texts import write_series

NAMES = {"LV_Endocardium": {"name": "Größe ж"}, "LV_Myocardium": {"name": "Herz"}}
PIPELINES = {"letters": {"kind": "unet", "structures": NAMES}}


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
