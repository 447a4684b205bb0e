"""Losses that leave out what nobody has drawn."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

_SMOOTH_PIXELS = 1.0


def dice_and_cross_entropy(logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """Soft Dice plus cross-entropy, each per image and structure, averaged over what is known.

    `logits` and `targets` `(B, C, H, W)`, targets in 0 to 1; `known` `(B, C)` is 1 where the
    structure was drawn on that image and 0 where it is unknown. Per-image Dice makes a small
    apical slice count as much as a large one.
    """
    entropy = binary_cross_entropy_with_logits(logits, targets, reduction="none").mean((2, 3))
    loss = entropy + soft_dice_loss(logits, targets)
    return (loss * known).sum() / known.sum().clamp(min=1.0)


def soft_dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """1 - Dice of the probabilities, `(B, C)`; near 0 where both are empty."""
    probabilities = logits.sigmoid()
    overlap = (probabilities * targets).sum((2, 3))
    total = probabilities.sum((2, 3)) + targets.sum((2, 3))
    return 1.0 - (2.0 * overlap + _SMOOTH_PIXELS) / (total + _SMOOTH_PIXELS)
