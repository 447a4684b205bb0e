"""Callback that writes the checkpoint of the best epoch."""

from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback

from model.inference.checkpoint import save_checkpoint
from model.inference.unet_card import UnetCard
from model.training.module import SegmentationModule

MONITORED = "dice"


class CheckpointCallback(Callback):
    """Write the checkpoint after each epoch that is the best so far.

    Without validation, or with `keep_last`, after every epoch.
    """

    def __init__(self, output: Path, card: UnetCard, *, keep_last: bool) -> None:
        self._output, self._card = output, card
        self._keep_last = keep_last
        self.best: float | None = None

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write the checkpoint if the epoch is the best so far; its validation is done."""
        score = trainer.callback_metrics.get(MONITORED)
        if not self._keep_last and score is not None:
            if self.best is not None and float(score) <= self.best:
                return
            self.best = float(score)
        if trainer.is_global_zero and isinstance(pl_module, SegmentationModule):
            save_checkpoint(self._output, self._card, pl_module.network.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Best score so far, for a resumed run."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the result of `state_dict`."""
        self.best = state_dict["best"]
