"""Arrays without a data set: what they do not say is given, or assumed aloud."""

from pathlib import Path

import pytest

from model import evaluate, prepare, train
from model.inference.checkpoint import load_checkpoint
from tests.learning.quick import QUICK

ASSUMED = "! {}: arrays say no pixel spacing, 1 mm is assumed"


def trained(folder: Path, output: Path, *options: str) -> int:
    given = ["--data_dir", str(folder), *QUICK, "--output_channels", "1", "--modality", "MR"]
    return train.main(
        [*given, "--max_steps", "1", "--k_folds", "2", "--output", str(output), *options]
    )


@pytest.mark.parametrize(
    ("options", "range_mm", "working_mm"),
    [
        (("--pixel_spacing", "0.6"), (0.3, 1.2), 0.6),
        (("--pixel_spacing", "0.6,0.8"), (0.3, 1.6), 0.7),
        ((), (0.5, 2.0), 1.0),
    ],
)
def test_the_spacing_of_arrays_is_on_the_card_that_the_node_checks(
    array_folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    range_mm: tuple[float, float],
    working_mm: float,
) -> None:
    output = array_folder.parent / "a.ckpt"
    assert trained(array_folder, output, *options) == 0
    card, _ = load_checkpoint(output)
    assert card.pixel_spacing_range_mm == pytest.approx(range_mm)
    assert card.working_spacing_mm == pytest.approx(working_mm)
    assert (ASSUMED.format(array_folder) in capsys.readouterr().out) == (not options)


def test_evaluation_measures_arrays_in_the_mm_that_are_given(
    array_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = array_folder.parent / "a.ckpt"
    assert trained(array_folder, output, "--pixel_spacing", "2") == 0
    capsys.readouterr()
    asked = ["--checkpoint", str(output), "--data_dir", str(array_folder), "--threads", "1"]
    asked += ["--report", str(output.with_suffix(".html"))]
    assert evaluate.main([*asked, "--pixel_spacing", "2"]) == 0
    assert "assumed" not in capsys.readouterr().out
    assert evaluate.main(asked) == 0
    assert ASSUMED.format(array_folder) in capsys.readouterr().out


def test_data_with_a_spacing_of_their_own_get_no_other(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(data_set, tmp_path / "a.ckpt", "--pixel_spacing", "2") == 2
    assert "no folder of arrays" in capsys.readouterr().err
    (tmp_path / "dicom").mkdir()
    given = ["--input", str(tmp_path / "dicom"), "--output", str(tmp_path / "b.h5")]
    assert prepare.main([*given, "--pixel_spacing", "2"]) == 2
    assert "--pixel_spacing" in capsys.readouterr().err
