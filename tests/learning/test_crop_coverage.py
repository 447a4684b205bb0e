"""The sides of large images: training says when crops miss them, a model in use draws there."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imaging.metrics import dice
from model import train
from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.data.augment import Augmentation, augment
from model.data.crop_coverage import CropCoverage, coverage_warning
from model.data.data_set_file import DataSetFile, open_data_set
from model.data.data_set_writer import merge, write_patient
from model.inference.checkpoint import load_checkpoint
from model.inference.grid import WorkingGrid
from model.inference.predict import load_segmenter
from model.inference.structure import Structure
from model.preparation.inputs.sunnybrook import read_sunnybrook
from tests.learning.quick import QUICK
from tests.support.checkpoints import one_view_checkpoint

ROOT = Path(__file__).parents[2]
LIVER = Structure("Liver", (230, 159, 0), "ORGAN")
GRID = WorkingGrid(1.0, stride=2)


def at_the_side(folder: Path, column: int = 190) -> Path:
    """One patient with a disc in the middle of 200 x 200 pixels of 1 mm, one with it at a side."""
    parts = []
    for patient, centre in (("middle", 100), ("side", column)):
        parts.append(folder / f"{patient}.part")
        rows, columns = np.mgrid[:200, :200]
        mask = np.hypot(rows - 100, columns - centre) < 6
        image = (mask * 2.0 + np.random.default_rng(1).normal(0, 0.1, mask.shape)).astype("f4")
        with write_patient(parts[-1], patient, (LIVER,)) as writer:
            for number in range(3):
                one = AnnotatedImage(str(number), image, mask[None], (True,), (1.0, 1.0))
                writer.add(SeriesKey("CT-1", "CT", "arrays"), one)
    merge(folder / "data.h5", parts)
    return folder / "data.h5"


def words_for(source: DataSetFile, shift: float) -> str:
    return coverage_warning(source, source.samples(), GRID, CropCoverage((64, 48), shift))


def test_drawn_pixels_that_crops_do_not_reach_are_counted(tmp_path: Path) -> None:
    source = open_data_set(at_the_side(tmp_path))
    words = words_for(source, 24.0)
    assert words.startswith("3 of 6 images (1 of 2 patients) have drawn pixels that crops of 64 x")
    assert "shifted by at most 24 " in words
    assert "--shift 72 or larger crops" in words  # the disc ends 95.5 pixels beside the middle


def test_the_shift_that_is_named_is_the_least_that_reaches_all(tmp_path: Path) -> None:
    source = open_data_set(at_the_side(tmp_path))
    assert words_for(source, 72.0) == ""
    assert words_for(source, 71.0) != ""


def test_crops_with_the_shift_that_is_named_show_the_structure(tmp_path: Path) -> None:
    source = open_data_set(at_the_side(tmp_path))
    masks = torch.from_numpy(source.read(source.samples({"side"})[0]).masks).float()

    def shown(shift: float) -> float:
        settings = Augmentation((64, 48), scale=(1.0, 1.0), shift_pixels=shift)
        draws = (torch.Generator().manual_seed(seed) for seed in range(300))
        return max(float(augment(masks, masks, settings, one)[1].sum()) for one in draws)

    assert shown(24.0) == 0.0
    assert shown(72.0) > 0.9 * float(masks.sum())


def test_training_says_so_once_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data_dir", str(at_the_side(tmp_path)), *QUICK, "--output_channels", "1"]
    given += ["--k_folds", "0", "--max_steps", "1", "--output", str(tmp_path / "a.ckpt")]
    assert train.main(given) == 0
    out = capsys.readouterr().out
    assert out.count("! 3 of 6 images (1 of 2 patients)") == 1
    assert "out of reach" in (tmp_path / "a.runs" / "run_0" / "debug.log").read_text()
    assert train.main([*given, "--shift", "90"]) == 0
    assert "!" not in capsys.readouterr().out


def test_another_shift_makes_other_weights_and_the_default_is_24(tmp_path: Path) -> None:
    given = ["--data_dir", str(at_the_side(tmp_path)), *QUICK, "--output_channels", "1"]
    given += ["--k_folds", "0", "--max_steps", "2"]
    weights = []
    for number, shift in enumerate(((), ("--shift", "24"), ("--shift", "60"))):
        output = tmp_path / f"{number}.ckpt"
        assert train.main([*given, *shift, "--output", str(output)]) == 0
        weights.append(load_checkpoint(output)[1])
    default, same, other = weights
    assert all(torch.equal(default[name], same[name]) for name in default)
    assert not all(torch.equal(default[name], other[name]) for name in default)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_model_in_use_draws_what_lies_in_a_corner_of_a_large_image(
    corner: tuple[int, int],
) -> None:
    segmenter = load_segmenter(Path(one_view_checkpoint()))
    source = read_sunnybrook(ROOT / "samples" / "sunnybrook")
    sample = source.read(next(one for one in source.samples() if one.key == "SCD0000501/69"))
    rows, columns = sample.image.shape
    air = np.random.default_rng(1).choice(sample.image[:30, :30].ravel(), (2 * rows, 2 * columns))
    truth = np.zeros(air.shape, np.bool_)
    part = tuple(
        slice(first * size, (first + 1) * size)
        for first, size in zip(corner, (rows, columns), strict=True)
    )
    air[part], truth[part] = sample.image, sample.masks[0]
    found = segmenter.predict(air[None], sample.pixel_spacing_mm)["LV_Endocardium"][0]
    assert dice(found, truth) > 0.9  # 0.96 on the image alone
