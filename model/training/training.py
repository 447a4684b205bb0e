"""Training by a plan with Lightning's Trainer."""

import argparse
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback, EarlyStopping, LearningRateMonitor
from pytorch_lightning.loggers import TensorBoardLogger

from core.errors import ConfigurationError, LearningDataError
from model.command_line import values_of
from model.data.augment import Augmentation
from model.data.loading import BatchSettings, SampleDataModule
from model.training.checkpoint_callback import MONITORED, CheckpointCallback
from model.training.module import LearningSettings, SegmentationModule
from model.training.plan import Plan
from model.training.resuming import RESUME_FILE, ResumeStateCallback, read_state, set_progress
from model.training.trainer_options import trainer_arguments

_FLUSH_S = 5


def fit(options: argparse.Namespace, plan: Plan, folder: Path) -> None:
    """Train by `plan` and write `options.output`; starts from the state in `folder` if any.

    Raises:
        ConfigurationError: the Trainer, or this machine, does not support an option.
        LearningDataError: an image cannot be read; the last complete epoch is kept.
    """
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    module = SegmentationModule(
        plan.card.encoder_widths,
        tuple(structure.name for structure in plan.card.structures),
        _learning(options),
    )
    data = SampleDataModule(plan.source, plan.fold, plan.grid, _batches(options))
    path = folder / RESUME_FILE
    state = read_state(path) if path.is_file() else None
    resume_state = ResumeStateCallback(folder, state)
    try:
        trainer = lightning.Trainer(**_arguments(options, plan, resume_state))
    except (MisconfigurationException, ValueError) as error:
        way_out = "" if options.gpus in ("auto", "0") else "; --gpus 0 trains on the CPU"
        raise ConfigurationError(f"The Trainer refuses: {_one_line(error)}{way_out}") from error
    if state is not None:
        set_progress(trainer, state)
    with warnings.catch_warnings():
        # advice on workers and logging, which are the user's choice
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        try:
            trainer.fit(module, data)
        except LearningDataError as error:
            raise LearningDataError(_own_message(error)) from error


def _own_message(error: LearningDataError) -> str:
    """Message without the traceback that PyTorch puts before a worker's exception."""
    return str(error).rpartition(f"{LearningDataError.__name__}: ")[2].strip()


def _learning(options: argparse.Namespace) -> LearningSettings:
    return LearningSettings(
        learning_rate=options.learning_rate,
        loss=options.loss_function,
        optimizer=options.optimizer,
        seed=options.seed,
    )


def _batches(options: argparse.Namespace) -> BatchSettings:
    return BatchSettings(
        batch_size=options.batch_size,
        passes=options.passes,
        num_workers=options.num_workers,
        seed=options.seed,
        augmentation=Augmentation(
            crop=(options.input_shape[1], options.input_shape[2]),
            **values_of(options, Augmentation),
        ),
    )


def _arguments(
    options: argparse.Namespace, plan: Plan, resume_state: ResumeStateCallback
) -> dict[str, Any]:
    """Arguments of the Trainer; options of the command line override the plan's."""
    defaults = {
        **_devices(options.gpus),
        "precision": precision_of(options),
        "logger": TensorBoardLogger(
            resume_state.folder.parent,
            name="",
            version=resume_state.folder.name,
            flush_secs=_FLUSH_S,
        ),
        "callbacks": _callbacks(options, plan, resume_state),
        "enable_checkpointing": False,  # `CheckpointCallback` writes them
        "use_distributed_sampler": False,  # the data module's sampler knows its part
    }
    if not plan.fold.validation:
        defaults["limit_val_batches"] = 0
    return defaults | trainer_arguments(options)


def _callbacks(
    options: argparse.Namespace, plan: Plan, resume_state: ResumeStateCallback
) -> list[Callback]:
    keep_last = options.keep == "last" or not plan.fold.validation
    callbacks: list[Callback] = [
        CheckpointCallback(options.output, plan.card, keep_last=keep_last),
        LearningRateMonitor("step"),
    ]
    if options.early_stopping and plan.fold.validation:
        callbacks.append(
            EarlyStopping(MONITORED, mode="max", patience=options.early_stopping, strict=False)
        )
    return [*callbacks, resume_state]


def _devices(gpus: str) -> dict[str, Any]:
    """Accelerator and devices of the Trainer, from `--gpus`."""
    if gpus == "auto":
        return {"accelerator": "auto", "devices": 1}
    if gpus == "0":
        return {"accelerator": "cpu", "devices": 1}
    if "," in gpus:
        return {"accelerator": "gpu", "devices": [int(one) for one in gpus.split(",") if one]}
    return {"accelerator": "gpu", "devices": int(gpus)}


def precision_of(options: argparse.Namespace) -> str:
    """Precision for the Trainer: `--precision`, or for `auto` the best of the device."""
    if options.precision != "auto":
        return str(options.precision)
    on_cpu = options.gpus == "0" or getattr(options, "accelerator", None) == "cpu"
    if on_cpu or not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
