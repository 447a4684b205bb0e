"""Command-line options of Lightning's Trainer, with types and defaults from its signature."""

import argparse
import inspect
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

import pytorch_lightning as lightning

_OPTIONS: Mapping[str, str] = {
    "accelerator": "cpu, gpu, tpu, hpu, mps or auto",
    "strategy": "how several devices share the training, such as ddp",
    "devices": "how many devices, or which",
    "num_nodes": "how many machines with GPUs",
    "fast_dev_run": "run only this many batches of training and validation, to find mistakes",
    "max_epochs": "most epochs; without --max_steps, there is then no limit of steps",
    "min_epochs": "fewest epochs",
    "max_steps": "most optimizer steps; -1 for no limit",
    "min_steps": "fewest optimizer steps",
    "max_time": "longest time, as DD:HH:MM:SS",
    "limit_train_batches": "batches of an epoch: a part (1.0 is all) or a number",
    "limit_val_batches": "batches of a validation: a part or a number",
    "limit_test_batches": "batches of a test: a part or a number",
    "limit_predict_batches": "batches of a prediction: a part or a number",
    "overfit_batches": "train and validate on the same batches: a part or a number; 0 for not",
    "val_check_interval": "validate after this part of an epoch, or number of batches",
    "check_val_every_n_epoch": "validate after every so many epochs",
    "num_sanity_val_steps": "batches of validation before the training begins",
    "log_every_n_steps": "log after every so many steps",
    "enable_progress_bar": "whether a progress bar is shown",
    "enable_model_summary": "whether the network's layers are listed",
    "accumulate_grad_batches": "batches of which the gradients are added before a step",
    "gradient_clip_val": "largest gradient; larger ones are clipped; none for no limit",
    "gradient_clip_algorithm": "what is clipped: norm or value",
    "deterministic": "use only algorithms that repeat exactly; warn: warn where there is none",
    "benchmark": "whether cuDNN measures which algorithms are fastest",
    "inference_mode": "whether validation runs in torch.inference_mode, else in torch.no_grad",
    "profiler": "time the steps: simple or advanced",
    "detect_anomaly": "whether the origin of gradients that are NaN is traced; slow",
    "barebones": "whether everything that costs time, such as logs, is switched off",
    "sync_batchnorm": "whether devices share batch statistics",
    "reload_dataloaders_every_n_epochs": "read the data anew after so many epochs; 0 for never",
    "default_root_dir": "folder of logs and of the state to resume from",
}
"""Help texts of the Trainer's parameters that are options."""
OUR_DEFAULTS: Mapping[str, Any] = {
    "max_steps": 1000,
    "gradient_clip_val": 5.0,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 10,
    "enable_model_summary": False,
}
"""Defaults that differ from the Trainer's; `--max_epochs` alone removes the limit of steps."""


def add_trainer_options(group: argparse._ArgumentGroup) -> None:
    """Add an option to `group` for each supported parameter of the Trainer."""
    for name, parameter in _parameters().items():
        default = OUR_DEFAULTS.get(name, parameter.default)
        group.add_argument(
            f"--{name}",
            type=_Reader(parameter.annotation),
            default=argparse.SUPPRESS,
            metavar="VALUE",
            help=f"{_OPTIONS[name]} (default: {default})",
        )


def trainer_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments for the Trainer: `OUR_DEFAULTS`, overridden by the given `options`."""
    given = {name: value for name, value in vars(options).items() if name in _parameters()}
    defaults = dict(OUR_DEFAULTS)
    if "max_epochs" in given:
        defaults["max_steps"] = -1
    return defaults | given


class _Reader:
    """Parser of text to one of the types of an annotation; nothing is evaluated."""

    def __init__(self, annotation: Any) -> None:
        self._types = _plain_types(annotation)

    def __call__(self, text: str) -> Any:
        word = text.strip().lower()
        if word == "none" and type(None) in self._types:
            return None
        if word in ("true", "false") and bool in self._types:
            return word == "true"
        for kind in (int, float, str):
            if kind in self._types:
                try:
                    return kind(text)
                except ValueError:
                    continue
        raise argparse.ArgumentTypeError(f"{text}: expected {self._expected()}")

    def _expected(self) -> str:
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
        return " or ".join(words[kind] for kind in words if kind in self._types)


def _parameters() -> dict[str, inspect.Parameter]:
    every = inspect.signature(lightning.Trainer).parameters
    return {name: every[name] for name in _OPTIONS if name in every}


def _plain_types(annotation: Any) -> set[Any]:
    """Types among bool, int, float, str and None that `annotation` allows."""
    if get_origin(annotation) in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in _plain_types(part)}
    if get_origin(annotation) is Literal:
        return {type(value) for value in get_args(annotation)}
    return {annotation} & {bool, int, float, str, type(None)}
