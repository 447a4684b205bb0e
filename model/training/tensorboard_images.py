"""Images with what was drawn by hand and by the network, for TensorBoard."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

MOST_PANELS = 6
_BY_HAND = (0.0, 0.62, 0.45)
_BY_NETWORK = (0.84, 0.37, 0.0)
"""Bluish green and vermillion of Okabe and Ito."""


def panels(images: Tensor, masks: Tensor, logits: Tensor) -> Tensor:
    """`(3, rows, columns)` in 0 to 1: a row for each image, a column for each structure.

    `images` `(B, 1, H, W)`, of which the first `MOST_PANELS` are shown, `masks` and `logits`
    `(B, C, H, W)`.
    """
    parts = (part[:MOST_PANELS].detach().float().cpu() for part in (images, masks, logits))
    rows = [
        torch.cat(
            [_panel(image[0], *pair) for pair in zip(truth > 0.5, drawn > 0.0, strict=True)], 2
        )
        for image, truth, drawn in zip(*parts, strict=True)
    ]
    return torch.cat(rows, dim=1)


def _panel(image: Tensor, by_hand: Tensor, by_network: Tensor) -> Tensor:
    """`(3, H, W)`: `image` `(H, W)` with the edges of two masks `(H, W)` over it."""
    picture = image.clamp(0.0, 1.0).expand(3, *image.shape).clone()
    for mask, color in ((by_hand, _BY_HAND), (by_network, _BY_NETWORK)):
        picture[:, _edge(mask)] = torch.tensor(color)[:, None]
    return picture


def _edge(mask: Tensor) -> Tensor:
    filled = mask.float()[None, None]
    inner = -max_pool2d(-filled, 3, stride=1, padding=1)
    edge: Tensor = (filled - inner)[0, 0] > 0
    return edge
