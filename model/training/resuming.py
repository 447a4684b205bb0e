"""The state of a run after each epoch, from which it goes on as if it had never stopped.

Weights, optimiser, learning rate's schedule, loss scale and callbacks; all that is drawn depends on
seed, epoch and step alone (`batches.py`, `module.py`). The Trainer's own checkpoints are not used:
from them it draws the first batches before it knows the epoch, so that a resumed run repeats some.
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
    """What `ResumeStateCallback` wrote to `path`; no code in it is executed.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
        return state | {name: int(state[name]) for name in ("epochs", "steps")}
    except (OSError, *LOAD_ERRORS) as error:
        raise ConfigurationError(
            f"--resume: {path} is damaged, expected the state of a run ({type(error).__name__})"
        ) from error


def set_progress(trainer: lightning.Trainer, state: State) -> None:
    """Let `trainer`, before it fits, count on from the epochs and steps of `state`."""
    progress = trainer.fit_loop.epoch_progress.current
    words = ("ready", "started", "processed", "completed")
    progress.load_state_dict(dict.fromkeys(words, state["epochs"]))
    loop = trainer.fit_loop.epoch_loop
    steps = loop.automatic_optimization.optim_progress.optimizer.step.total
    steps.ready = steps.completed = state["steps"]
    loop.on_load_checkpoint({"_batches_that_stepped": state["steps"]})


class ResumeStateCallback(Callback):
    """Writes the state after every epoch, and starts from `state` if there is one.

    It is the last of the callbacks, so that the state of the others is of the same epoch.
    """

    def __init__(self, folder: Path, state: State | None) -> None:
        self.folder = folder
        self._path = folder / RESUME_FILE
        self._state = state

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Take over what `set_progress` does not."""
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
        """Validation, where there is one, lies behind."""
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
    """Callbacks by their class, those that have something to remember."""
    return {type(one).__name__: one for one in trainer.callbacks if one.state_dict()}
