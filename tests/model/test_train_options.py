"""The command line of training: documented defaults, the Trainer's options, no evaluated text."""

import argparse
import inspect
from typing import Any

import pytest
import pytorch_lightning as lightning

from model.command_line import options_of, values_of
from model.data.augment import Augmentation
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
