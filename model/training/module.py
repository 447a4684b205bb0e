"""Lightning module: the network with its loss, optimiser and logged scores."""

from dataclasses import dataclass
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from model.inference.unet import UNet
from model.training.losses import loss_named
from model.training.optimizers import one_cycle, optimizer_named
from model.training.tensorboard_images import MOST_IMAGES, comparison_image

Batch = tuple[Tensor, Tensor, Tensor]
"""Images `(B, 1, H, W)`, masks `(B, C, H, W)` in 0 to 1, known `(B, C)`."""


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Loss, optimiser and regularisation of a training."""

    learning_rate: float = 1e-3
    """Maximum of the one-cycle schedule over the whole run."""
    loss: str = "dice_ce"
    optimizer: str = "adamw"
    dropout: float = 0.1
    seed: int = 1


class SegmentationModule(lightning.LightningModule):
    """Training of a UNet with `encoder_widths` on the structures called `structures`."""

    def __init__(
        self,
        encoder_widths: tuple[int, ...],
        structures: tuple[str, ...],
        learning: LearningSettings,
    ) -> None:
        super().__init__()
        self.network = UNet(encoder_widths, len(structures), learning.dropout)
        self._structures = structures
        self._learning = learning
        self._loss = loss_named(learning.loss)

    def forward(self, images: Tensor) -> Tensor:
        """Logits `(B, C, H, W)` of images `(B, 1, H, W)`."""
        logits: Tensor = self.network(images)
        return logits

    def on_train_batch_start(self, _batch: Batch, batch_idx: int) -> None:
        """Seed random numbers by the step, so that a resumed run drops the same features."""
        torch.manual_seed(self._learning.seed * 1_000_003 + self.global_step * 1_009 + batch_idx)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Loss of a batch; the first batch of an epoch is also logged as an image."""
        images, masks, known = batch
        logits = self(images)
        loss = self._loss(logits, masks, known)
        if index == 0:
            self._show("training", comparison_image(images, masks, logits))
        self.log("loss", loss, prog_bar=True, on_epoch=True, batch_size=len(images), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log the loss, and the Dice of each known structure and of all, before postprocessing.

        Some images, evenly spread, are logged too.
        """
        images, masks, known = batch
        logits = self(images)
        loss = self._loss(logits, masks, known)
        self.log("validation_loss", loss, batch_size=len(images), sync_dist=True)
        scores, counts = _dice(logits, masks)
        counts = counts & (known > 0)
        for number, name in enumerate(self._structures):
            self._log_mean(f"dice/{name}", scores[:, number], counts[:, number])
        self._log_mean("dice", scores, counts)
        step = max(1, sum(int(one) for one in self.trainer.num_val_batches) // MOST_IMAGES)
        if index % step == 0 and index // step < MOST_IMAGES:
            self._show(f"validation/{index}", comparison_image(images, masks, logits))

    def configure_optimizers(self) -> Any:
        """Optimiser with a one-cycle schedule of the learning rate."""
        learning = self._learning
        optimizer = optimizer_named(learning.optimizer, self.parameters(), learning.learning_rate)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = one_cycle(optimizer, learning.learning_rate, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "learning_rate"},
        }

    def _show(self, name: str, picture: Tensor) -> None:
        if isinstance(self.logger, TensorBoardLogger):
            self.logger.experiment.add_image(name, picture, self.current_epoch)

    def _log_mean(self, name: str, scores: Tensor, counts: Tensor) -> None:
        count = int(counts.sum())
        if count:
            mean = scores[counts].mean()
            self.log(
                name, mean, prog_bar=name == "dice", on_epoch=True, batch_size=count, sync_dist=True
            )


def _dice(logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Dice `(B, C)` at a probability of 0.5, and `(B, C)` True where any pixel is drawn."""
    drawn, truth = logits > 0.0, masks > 0.5
    overlap, total = (drawn & truth).sum((2, 3)), drawn.sum((2, 3)) + truth.sum((2, 3))
    return 2.0 * overlap / total.clamp(min=1), total > 0
