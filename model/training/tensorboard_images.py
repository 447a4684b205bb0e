"""Images with contours by hand and by the network, for TensorBoard."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

MOST_IMAGES = 6
_BY_HAND = (0.0, 0.62, 0.45)
_BY_NETWORK = (0.84, 0.37, 0.0)
"""Bluish green and vermillion of Okabe and Ito."""


def comparison_image(images: Tensor, masks: Tensor, logits: Tensor) -> Tensor:
    """Picture of both outlines: a row for each image, a column for each structure.

    Args:
        images: `(B, 1, H, W)`, of which the first `MOST_IMAGES` are shown.
        masks: `(B, C, H, W)`, drawn by hand.
        logits: `(B, C, H, W)`, by the network.

    Returns:
        `(3, rows, columns)`, RGB in 0 to 1.
    """
    parts = (part[:MOST_IMAGES].detach().float().cpu() for part in (images, masks, logits))
    rows = [
        torch.cat(
            [_panel(image[0], *pair) for pair in zip(truth > 0.5, drawn > 0.0, strict=True)], 2
        )
        for image, truth, drawn in zip(*parts, strict=True)
    ]
    return torch.cat(rows, dim=1)


def _panel(image: Tensor, by_hand: Tensor, by_network: Tensor) -> Tensor:
    """`image` `(H, W)` with the edges of two masks `(H, W)` over it, as RGB `(3, H, W)`."""
    picture = image.clamp(0.0, 1.0).expand(3, *image.shape).clone()
    for mask, color in ((by_hand, _BY_HAND), (by_network, _BY_NETWORK)):
        picture[:, _edge(mask)] = torch.tensor(color, dtype=picture.dtype)[:, None]
    return picture


def _edge(mask: Tensor) -> Tensor:
    filled = mask.float()[None, None]
    inner = -max_pool2d(-filled, 3, stride=1, padding=1)
    edge: Tensor = (filled - inner)[0, 0] > 0
    return edge
