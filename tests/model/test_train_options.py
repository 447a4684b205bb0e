"""The command line of training: documented defaults, the Trainer's options, no evaluated text."""

import argparse
import inspect
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as lightning

from model.command_line import options_of, values_of
from model.data.augment import Augmentation
from model.training.run_folder import unnamed_output
from model.training.train_options import train_parser
from model.training.trainer_options import trainer_arguments

GIVEN = ("--data_dir", "data", "--output", "a.ckpt")
DEFAULTS = {
    "batch_size": 5,
    "k_folds": 5,
    "k_fold_index": 0,
    "input_shape": (1, 512, 512),
    "num_workers": 12,
    "encoder_args": (32, 64, 128, 256, 512, 1024),
    "output_channels": 1,
    "learning_rate": 1e-3,
    "loss_function": "dice_ce",
    "optimizer": "adamw",
    "gpus": "auto",
    "precision": "auto",
}


def parsed(*options: str) -> argparse.Namespace:
    return train_parser().parse_args([*GIVEN, *options])


def test_the_defaults_are_the_documented_ones() -> None:
    options = vars(parsed())
    assert {name: options[name] for name in DEFAULTS} == DEFAULTS


def test_options_of_the_augmentation_are_its_fields_with_their_defaults() -> None:
    assert set(options_of(Augmentation)) >= {"scale", "shift"}
    assert Augmentation(**values_of(parsed(), Augmentation)) == Augmentation()
    given = values_of(parsed("--shift", "3", "--scale", "0.9,1.1"), Augmentation)
    assert Augmentation(**given) == Augmentation(shift_pixels=3.0, scale=(0.9, 1.1))


OTHERWISE = {
    "precision", "callbacks", "plugins", "logger", "enable_checkpointing",
    "use_distributed_sampler", "enable_autolog_hparams", "model_registry",
}  # fmt: skip
"""Objects that a command line cannot give, and what has an option of its own."""


def test_every_parameter_of_the_trainer_that_words_can_give_is_an_option() -> None:
    words = train_parser().format_help()
    parameters = set(inspect.signature(lightning.Trainer).parameters) - OTHERWISE
    assert {name for name in parameters if f"--{name} VALUE" not in words} == set()
    assert set(trainer_arguments(parsed())) <= parameters


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("16", "16-mixed"),
        ("bf16", "bf16-mixed"),
        ("32", "32-true"),
        ("64", "64-true"),
        ("16-mixed", "16-mixed"),
        ("bf16-true", "bf16-true"),
    ],
)
def test_short_precisions_are_those_of_the_trainer(text: Any, precision: Any) -> None:
    options = parsed("--batch_size=5", "--gpus=1", f"--precision={text}")
    assert (options.batch_size, options.gpus, options.precision) == (5, "1", precision)
    plugins = [
        lightning.Trainer(accelerator="cpu", precision=one, logger=False).precision
        for one in (text, precision)
    ]
    assert plugins[0] == plugins[1]


def test_without_data_and_output_the_samples_are_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = train_parser().parse_args(["--batch_size=5", "--gpus=1", "--precision=16"])
    assert (options.data_dir / "link.csv").is_file()
    assert options.output is None
    assert unnamed_output(is_resumed=False) == unnamed_output(is_resumed=True) == Path("model.ckpt")


def test_a_checkpoint_without_a_name_never_replaces_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("model.ckpt", "model_1.ckpt"):
        Path(name).touch()
        Path(name).with_suffix(".runs").mkdir()
    assert unnamed_output(is_resumed=False) == Path("model_2.ckpt")
    assert unnamed_output(is_resumed=True) == Path("model_1.ckpt")


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("max_epochs", "3", 3),
        ("gradient_clip_val", "0.5", 0.5),
        ("gradient_clip_val", "none", None),
        ("limit_train_batches", "1", 1),
        ("limit_train_batches", "1.0", 1.0),
        ("deterministic", "true", True),
        ("deterministic", "warn", "warn"),
        ("detect_anomaly", "False", False),
    ],
)
def test_words_become_the_values_that_the_trainer_takes(option: str, text: str, value: Any) -> None:
    found = trainer_arguments(parsed(f"--{option}", text))[option]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("max_steps", "__import__('os').getpid()"),
        ("max_steps", "2*3"),
        ("detect_anomaly", "yes"),
        ("loss_function", "torch.nn.MSELoss()"),
        ("optimizer", "Adam(lr=1)"),
        ("encoder_args", "(8,16)"),
        ("gpus", "[0]"),
        ("rings", "a"),
        ("scale", "1.4,0.7"),
        ("scale", "nan,1"),
    ],
)
def test_nothing_is_evaluated(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(f"--{option}", text)
    assert ended.value.code == 2
    assert f"--{option}" in capsys.readouterr().err


def test_epochs_alone_lift_the_limit_of_steps() -> None:
    assert trainer_arguments(parsed())["max_steps"] == 1000
    assert trainer_arguments(parsed("--max_epochs", "3"))["max_steps"] == -1
    both = trainer_arguments(parsed("--max_epochs", "3", "--max_steps", "50"))
    assert both["max_steps"] == 50
