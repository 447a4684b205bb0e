"""Two-dimensional UNet with one sigmoid per structure, so that structures may overlap."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

_SLOPE = 0.01


class UNet(nn.Module):
    """UNet with `encoder_widths` channels at its levels, and instance norm against contrast.

    Input `(B, 1, H, W)` with H and W multiples of `stride`, output logits `(B, structures, H, W)`.
    """

    def __init__(
        self, encoder_widths: Sequence[int], structures: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        widths = tuple(encoder_widths)
        self.stride = 2 ** (len(widths) - 1)
        self.encoder = nn.ModuleList(
            _block(before, width) for before, width in zip((1, *widths), widths, strict=False)
        )
        self.dropout = nn.Dropout2d(dropout)
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.upward = nn.ModuleList(nn.ConvTranspose2d(deep, up, 2, 2) for deep, up in pairs)
        self.decoder = nn.ModuleList(_block(2 * up, up) for _, up in pairs)
        self.head = nn.Conv2d(widths[0], structures, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits `(B, structures, H, W)` of `images` `(B, 1, H, W)`."""
        features = images
        skipped: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            features = block(max_pool2d(features, 2) if level else features)
            skipped.append(features)
        features = self.dropout(skipped.pop())
        for upward, block in zip(self.upward, self.decoder, strict=True):
            features = block(torch.cat([upward(features), skipped.pop()], dim=1))
        logits: Tensor = self.head(features)
        return logits


def _block(channels: int, width: int) -> nn.Sequential:
    """Two 3 x 3 convolutions, each normalised per image and feature."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.InstanceNorm2d(width, affine=True),
        nn.LeakyReLU(_SLOPE, inplace=True),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.InstanceNorm2d(width, affine=True),
        nn.LeakyReLU(_SLOPE, inplace=True),
    )
