"""Which of a run's epochs becomes the checkpoint that is served."""

from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback

from model.inference.checkpoint import save_checkpoint
from model.inference.unet_card import UnetCard
from model.training.module import SegmentationModule

MONITORED = "dice"


class CheckpointCallback(Callback):
    """Writes the checkpoint of each epoch that is the best so far, whole or not at all.

    Without validation, or with `keep_last`, that is every epoch.
    """

    def __init__(self, output: Path, card: UnetCard, *, keep_last: bool) -> None:
        self._output, self._card = output, card
        self._keep_last = keep_last
        self.best: float | None = None

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Validation, where there is one, lies behind."""
        score = trainer.callback_metrics.get(MONITORED)
        if not self._keep_last and score is not None:
            if self.best is not None and float(score) <= self.best:
                return
            self.best = float(score)
        if trainer.is_global_zero and isinstance(pl_module, SegmentationModule):
            save_checkpoint(self._output, self._card, pl_module.network.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As `state_dict` gave it."""
        self.best = state_dict["best"]
