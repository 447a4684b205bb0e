"""Training: folds, draws, augmentation, loss, and a short run from command to checkpoint."""

import dataclasses
from pathlib import Path

import pytest
import torch

from core.errors import ConfigurationError
from model import evaluate, train
from model.data.augment import Augmentation, augment
from model.data.batches import DrawSampler
from model.data.folds import Fold, fold_of, possible_folds
from model.data.loading import BatchSettings, SampleDataModule, SampleDataset
from model.data.samples import SampleSource, fingerprint
from model.inference.checkpoint import load_checkpoint
from model.inference.grid import WorkingGrid
from model.inference.predict import load_segmenter
from model.preparation.inputs.sunnybrook import read_sunnybrook
from model.training import training as fitting
from model.training.train_options import train_parser

SUNNYBROOK = Path(__file__).parent.parent.parent / "samples" / "sunnybrook"
GRID = WorkingGrid(2.0, stride=4)
NEUTRAL = Augmentation(
    crop=(40, 56), scale=(1.0, 1.0), stretch=(1.0, 1.0), shift_pixels=0.0, elastic_pixels=0.0,
    gamma=(1.0, 1.0), contrast=(1.0, 1.0), brightness=(0.0, 0.0), bias_field=0.0, noise=0.0,
    blur_pixels=(0.01, 0.01),
)  # fmt: skip
QUICK = (
    "--max-steps=2", "--batch-size", "2", "--input_shape", "1,32,32", "--encoder-args", "4,8",
    "--views", "1", "--threads", "1", "--num_workers", "0", "--output_channels", "2",
    "--working_spacing", "2", "--enable_progress_bar", "false",
)  # fmt: skip


@pytest.fixture(scope="module")
def collection() -> SampleSource:
    """All four patients of the samples."""
    return read_sunnybrook(SUNNYBROOK)


def test_each_patient_validates_in_exactly_one_fold() -> None:
    patients = [f"p{number}" for number in range(7)]
    folds = [fold_of(patients, 3, index, 5) for index in range(3)]
    assert sorted(name for fold in folds for name in fold.validation) == patients
    assert all(not fold.training & fold.validation for fold in folds)
    assert folds == [fold_of(patients[::-1], 3, index, 5) for index in range(3)]


def test_no_folds_train_on_all() -> None:
    assert fold_of(["a", "b"], 0, 0, 1) == Fold(frozenset({"a", "b"}), frozenset())


@pytest.mark.parametrize(
    ("patients", "k_folds", "folds", "words"),
    [
        (4, 4, 4, ""),
        (4, 0, 0, ""),
        (4, 5, 4, "--k_folds 5: there are 4 patients, so 4 folds are used"),
        (2, 99, 2, "--k_folds 99: there are 2 patients, so 2 folds are used"),
        (1, 5, 0, "--k_folds 5: there is 1 patient, so all train and none validates"),
        (1, 1, 1, ""),
        (4, -1, -1, ""),
    ],
)
def test_more_folds_than_patients_are_cut_with_a_sentence(
    patients: int, k_folds: int, folds: int, words: str
) -> None:
    assert possible_folds(patients, k_folds) == (folds, words)


@pytest.mark.parametrize(("k_folds", "index"), [(1, 0), (3, 0), (2, 2), (-1, 0), (2, -1)])
def test_impossible_folds_are_refused(k_folds: int, index: int) -> None:
    with pytest.raises(ConfigurationError, match="--k_folds"):
        fold_of(["a", "b"], k_folds, index, 1)


def test_each_pass_draws_every_sample_once_in_a_new_order() -> None:
    sampler = DrawSampler(range(6), passes=2, seed=3)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(first + second) == list(range(24))
    orders = [[draw % 6 for draw in part] for part in (first[:6], first[6:], second[:6])]
    assert len({tuple(order) for order in orders}) == 3


def test_a_draw_is_the_same_again_and_another_draw_is_not(
    collection: SampleSource,
) -> None:
    entries = collection.samples()[:2]
    changed = Augmentation((32, 48))
    data = [SampleDataset(collection, entries, GRID, changed, seed=1) for _ in range(2)]
    assert torch.equal(data[0][4][0], data[1][4][0])
    assert not torch.equal(data[0][4][0], data[0][6][0])
    assert data[0][4][0].shape == (1, 32, 48)
    assert data[0][4][1].shape == (2, 32, 48)


def test_batches_do_not_depend_on_the_number_of_workers(
    collection: SampleSource,
) -> None:
    batches = []
    for workers in (0, 2):
        settings = BatchSettings(3, 1, workers, 7, Augmentation((32, 32)))
        fold = Fold(frozenset({"SCD0000201"}), frozenset())
        module = SampleDataModule(collection, fold, GRID, settings)
        batches.append(next(iter(module.train_dataloader())))
    assert all(torch.equal(one, other) for one, other in zip(*batches, strict=True))


def test_image_and_masks_move_together() -> None:
    masks = torch.zeros(2, 50, 70)
    masks[0, 12:30, 20:55] = 1.0
    masks[1, 5:9, 60:68] = 1.0
    settings = dataclasses.replace(
        NEUTRAL, scale=(0.7, 1.4), stretch=(0.9, 1.1), shift_pixels=15.0, elastic_pixels=3.0
    )
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        image, moved = augment(masks[:1], masks, settings, generator)
        assert torch.allclose(image[0], moved[0], atol=1e-6)


def test_a_scale_of_two_makes_things_four_times_as_large() -> None:
    mask = torch.zeros(1, 60, 60)
    mask[0, 26:34, 25:35] = 1.0
    settings = dataclasses.replace(NEUTRAL, scale=(2.0, 2.0))
    for seed in range(5):
        _, moved = augment(mask, mask, settings, torch.Generator().manual_seed(seed))
        assert float(moved.sum()) == pytest.approx(4 * 80.0, rel=0.05)


def test_a_turn_keeps_areas_and_intensities() -> None:
    image = torch.zeros(1, 60, 60)
    image[0, 26:34, 25:35] = 1.0
    turned = [
        augment(image, image, NEUTRAL, torch.Generator().manual_seed(seed))[0] for seed in range(4)
    ]
    for one in turned:
        assert float(one.sum()) == pytest.approx(80.0, rel=0.03)
    assert not torch.allclose(turned[0], turned[1], atol=0.1)


def test_the_fingerprint_depends_on_what_was_used(collection: SampleSource) -> None:
    samples = collection.samples()
    assert fingerprint(samples) == fingerprint(samples[::-1])
    assert fingerprint(samples) != fingerprint(samples[1:])


def test_a_short_run_writes_a_checkpoint_that_can_be_used(tmp_path: Path) -> None:
    output = tmp_path / "new" / "quick.ckpt"
    folds = ("--exclude", "SCD0000101,SCD0000501", "--k_folds", "2", "--k-fold-index", "1")
    assert train.main(["--data-dir", str(SUNNYBROOK), "--output", str(output), *folds, *QUICK]) == 0
    card, _ = load_checkpoint(output)
    assert card.name == "quick"
    assert card.encoder_widths == (4, 8)
    assert card.training_instances == 18
    assert len(card.training_patients) == 1
    assert card.training_patients[0] != card.measured_on
    assert card.measured_on in {"SCD0000201", "SCD0000401"}
    assert set(card.measured_dice) == {"LV_Endocardium", "LV_Myocardium"}
    assert load_segmenter(output).card == card


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    weights = []
    for name in ("a", "b"):
        output = tmp_path / f"{name}.ckpt"
        others = ("--exclude", "SCD0000101,SCD0000401,SCD0000501", "--seed", "5", "--k_folds", "0")
        train.main(["--data_dir", str(SUNNYBROOK), "--output", str(output), *others, *QUICK])
        weights.append(load_checkpoint(output)[1])
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_wrong_input_ends_with_two_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ("--output", str(tmp_path / "a.ckpt"))
    assert train.main(["--data_dir", str(tmp_path), *output]) == 2
    assert "link.csv" in capsys.readouterr().err
    wrong = ("--data_dir", str(SUNNYBROOK), "--exclude", "nobody")
    assert train.main([*wrong, *output]) == 2
    assert "nobody" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        train.main(["--data_dir", str(SUNNYBROOK), *output, "--input_shape", "3,64,64"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--input_shape", "1,100,96"), "multiples of 16 from 32 on"),
        (("--encoder_args", "8", "--input_shape", "1,64,64"), "encoder_widths"),
        (("--working_spacing", "-1"), "working_spacing_mm"),
        (("--name", "x" * 65), "at most 64"),
        (("--output", "/dev/null/a.ckpt"), "--output"),
        (("--k_folds", "1"), "expected 2 to 4 folds"),
        (("--output_channels", "3"), "has 2 structures"),
        (("--structures", "LV_Myocardium,LV_Endocardium"), "expected 2, one channel for each"),
        (("--structures", "Liver"), "expected some of LV_Endocardium, LV_Myocardium"),
        (("--rings", "LV_Myocardium:LV_Endocardium"), "LV_Myocardium is not learned"),
        (("--around", "LV_Myocardium:LV_Endocardium"), "--around: LV_Myocardium is not learned"),
        (("--solid", "Liver"), "--solid: Liver is not learned"),
    ],
)
def test_what_cannot_end_well_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], words: str
) -> None:
    given = ("--data_dir", str(SUNNYBROOK), "--output", str(tmp_path / "a.ckpt"), "--k_folds", "2")
    small = ("--encoder_args", "4,8,12,16,20", "--input_shape", "1,64,64")
    assert train.main([*given, *small, *wrong]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_evaluation_tells_good_from_bad_by_its_exit_code(
    small_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data_dir", str(SUNNYBROOK), "--patients", "SCD0000401", "--threads", "1")
    assert evaluate.main(["--checkpoint", str(small_checkpoint), *data]) == 2
    assert "draws Inner, Outer" in capsys.readouterr().err
    assert evaluate.main(["--checkpoint", str(tmp_path / "none.ckpt"), *data]) == 2
    assert "none.ckpt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "precision"),
    [
        ((), "bf16-mixed"),
        (("--gpus", "0"), "32-true"),
        (("--accelerator", "cpu"), "32-true"),
        (("--gpus", "0", "--precision", "bf16-mixed"), "bf16-mixed"),
    ],
)
def test_automatic_precision_is_that_of_the_chosen_device(
    monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    options = train_parser().parse_args(["--data_dir", "x", "--output", "y.ckpt", *given])
    assert fitting.precision_of(options) == precision
