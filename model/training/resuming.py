"""Resuming of an interrupted run, with the same result as without the interruption.

The state after each epoch has weights, optimiser, schedule, loss scale and callbacks; random
numbers depend on seed, epoch and step alone (`model/data/batches.py`, `model/training/module.py`).
The Trainer's own checkpoints are not used: with them it draws the first batches before it restores
the epoch, so that a resumed run repeats some.
"""

import io
import os
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback

from core.durable import write_synced
from core.errors import ConfigurationError
from model.inference.checkpoint import LOAD_ERRORS

RESUME_FILE = "resume.ckpt"
State = dict[str, Any]


def read_state(path: Path) -> State:
    """Read the state that `ResumeStateCallback` wrote to `path`; executes no code from it.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
        return state | {name: int(state[name]) for name in ("epochs", "steps")}
    except (OSError, *LOAD_ERRORS) as error:
        raise ConfigurationError(
            f"--resume: {path} is damaged, expected the state of a run ({type(error).__name__})"
        ) from error


def set_progress(trainer: lightning.Trainer, state: State) -> None:
    """Set the epochs and steps that `trainer` counts from; call before `fit`."""
    progress = trainer.fit_loop.epoch_progress.current
    words = ("ready", "started", "processed", "completed")
    progress.load_state_dict(dict.fromkeys(words, state["epochs"]))
    loop = trainer.fit_loop.epoch_loop
    steps = loop.automatic_optimization.optim_progress.optimizer.step.total
    steps.ready = steps.completed = state["steps"]
    loop.on_load_checkpoint({"_batches_that_stepped": state["steps"]})


class ResumeStateCallback(Callback):
    """Write the state after every epoch, and start from `state` if given.

    Must be the last callback, so that the state of the others is of the same epoch.
    """

    def __init__(self, folder: Path, state: State | None) -> None:
        self.folder = folder
        self._path = folder / RESUME_FILE
        self._state = state

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Restore all of the state except epochs and steps (`set_progress`)."""
        if self._state is None:
            return
        pl_module.load_state_dict(self._state["weights"])
        trainer.optimizers[0].load_state_dict(self._state["optimizer"])
        trainer.lr_scheduler_configs[0].scheduler.load_state_dict(self._state["schedule"])
        trainer.precision_plugin.load_state_dict(self._state["precision"])
        for name, callback in _with_state(trainer).items():
            callback.load_state_dict(self._state["callbacks"][name])
        self._state = None

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write the state; the epoch's validation is done."""
        if not trainer.is_global_zero:
            return
        content = io.BytesIO()
        torch.save(_state_of(trainer, pl_module), content)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        write_synced(temporary, content.getvalue())
        temporary.rename(self._path)


def _state_of(trainer: lightning.Trainer, module: lightning.LightningModule) -> State:
    return {
        "epochs": trainer.current_epoch + 1,
        "steps": trainer.global_step,
        "weights": module.state_dict(),
        "optimizer": trainer.optimizers[0].state_dict(),
        "schedule": trainer.lr_scheduler_configs[0].scheduler.state_dict(),
        "precision": trainer.precision_plugin.state_dict(),
        "callbacks": {name: one.state_dict() for name, one in _with_state(trainer).items()},
    }


def _with_state(trainer: Any) -> dict[str, Any]:
    """Callbacks that have a state, by the name of their class."""
    return {type(one).__name__: one for one in trainer.callbacks if one.state_dict()}
