"""The network with its loss and optimiser, as Lightning trains it."""

from dataclasses import dataclass
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor

from model.losses import dice_and_cross_entropy
from model.unet import UNet


@dataclass(frozen=True, slots=True)
class Learning:
    """How the weights are fitted."""

    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    steps: int = 1000
    """Optimiser steps of the whole run: the learning rate rises and falls over them."""


class SegmentationModule(lightning.LightningModule):
    """A UNet of `encoder_widths` that learns `structures` sigmoid maps."""

    def __init__(
        self, encoder_widths: tuple[int, ...], structures: tuple[str, ...], learning: Learning
    ) -> None:
        super().__init__()
        self.network = UNet(encoder_widths, len(structures), learning.dropout)
        self._structures = structures
        self._learning = learning

    def forward(self, images: Tensor) -> Tensor:
        """Logits `(B, C, H, W)` of images `(B, 1, H, W)`."""
        logits: Tensor = self.network(images)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _index: int) -> Tensor:
        """The loss of a batch of images, masks and known flags."""
        images, masks, known = batch
        loss = dice_and_cross_entropy(self(images), masks, known)
        self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _index: int) -> None:
        """Log the Dice of each known structure, before any finishing."""
        images, masks, known = batch
        drawn = self(images) > 0.0
        truth = masks > 0.5
        overlap = (drawn & truth).sum((2, 3))
        dice = 2.0 * overlap / (drawn.sum((2, 3)) + truth.sum((2, 3))).clamp(min=1)
        for number, name in enumerate(self._structures):
            chosen = known[:, number] > 0
            if bool(chosen.any()):
                self.log(f"dice_{name}", dice[chosen, number].mean(), prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of the learning rate."""
        learning = self._learning
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=learning.learning_rate, weight_decay=learning.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=learning.learning_rate, total_steps=learning.steps, pct_start=0.1
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
