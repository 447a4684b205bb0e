"""Losses by name, which ignore structures that were not drawn on an image.

The terms are MONAI's, unreduced, of `logits` and `targets` `(B, C, H, W)`, targets in 0 to 1. Dice
is computed per image and structure, so that a small apical slice counts as much as a large one;
cross-entropy adds a gradient where nothing overlaps yet.
"""

from collections.abc import Callable, Mapping

from monai.losses.dice import DiceLoss
from monai.losses.focal_loss import FocalLoss
from monai.losses.tversky import TverskyLoss
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Function of logits, targets and known `(B, C)`: 1 if drawn on the image, else 0."""
_Term = Callable[[Tensor, Tensor], Tensor]
_SMOOTH_PIXELS = 1.0
"""Smoothing that makes the Dice loss near 0, not 1, if prediction and target are empty."""


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(logits, targets, reduction="none")


_DICE = DiceLoss(sigmoid=True, reduction="none", smooth_nr=_SMOOTH_PIXELS, smooth_dr=_SMOOTH_PIXELS)
_FOCAL = FocalLoss(reduction="none", gamma=2.0)
_TVERSKY = TverskyLoss(
    sigmoid=True, reduction="none", smooth_nr=_SMOOTH_PIXELS, smooth_dr=_SMOOTH_PIXELS,
    alpha=0.3, beta=0.7,
)  # fmt: skip
"""Tversky weights: false negatives (beta) count more than false positives (alpha)."""
_TERMS: Mapping[str, tuple[_Term, ...]] = {
    "dice_ce": (_DICE, _cross_entropy),
    "dice_focal": (_DICE, _FOCAL),
    "dice": (_DICE,),
    "tversky_ce": (_TVERSKY, _cross_entropy),
    "ce": (_cross_entropy,),
    "focal": (_FOCAL,),
}
LOSS_NAMES = tuple(_TERMS)


def loss_named(name: str) -> Loss:
    """Loss called `name`, one of `LOSS_NAMES`: the mean over all known structures of a batch."""
    terms = _TERMS[name]

    def loss(logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        shape = (*logits.shape[:2], -1)
        each = [term(logits.float(), targets).reshape(shape).mean(2) for term in terms]
        total = sum(each[1:], each[0])
        return (total * known).sum() / known.sum().clamp(min=1.0)

    return loss
