"""Random augmentation of one image together with its masks."""

import argparse
import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d, grid_sample, interpolate

from model.command_line import option

Range = tuple[float, float]
_FIELD_KNOTS = 4
_ELASTIC_KNOTS = 6


def _shift(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text}: expected 0 to 10000 pixels")
    return value


def _scales(text: str) -> tuple[float, float]:
    least, _, most = text.partition(",")
    try:
        low, high = float(least), float(most)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: expected two numbers as 0.7,1.4") from error
    if not 0.1 <= low <= high <= 10.0:
        raise argparse.ArgumentTypeError(f"{text}: expected two rising numbers in 0.1 to 10")
    return low, high


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes, lengths in pixels of the working grid; some are options."""

    crop: tuple[int, int] = (128, 128)
    scale: Range = option(
        (0.7, 1.4), "range of the factors by which images are scaled at random",
        read=_scales, metavar="LEAST,MOST",
    )  # fmt: skip
    stretch: Range = (0.9, 1.1)
    """Ratio of row scale to column scale."""
    shift_pixels: float = option(
        24.0, "largest shift of crops in each direction, in pixels of the working spacing",
        read=_shift, metavar="PIXELS", name="shift",
    )  # fmt: skip
    elastic_pixels: float = 3.0
    gamma: Range = (0.6, 1.7)
    contrast: Range = (0.7, 1.4)
    brightness: Range = (-0.15, 0.15)
    bias_field: float = 0.5
    """Standard deviation of the logarithm of a smooth multiplicative field."""
    noise: float = 0.06
    blur_pixels: Range = (0.4, 1.0)


def augment(
    image: Tensor, masks: Tensor, settings: Augmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Crop and change `image` `(1, H, W)` and `masks` `(C, H, W)` at random.

    Both get the same spatial transform; intensities change in the image only.

    Returns:
        Image `(1, h, w)` and masks `(C, h, w)`, of the size `settings.crop`.
    """
    stack = torch.cat([image, masks])
    grid = _sampling_grid((stack.shape[-2], stack.shape[-1]), settings, generator)
    placed = grid_sample(stack[None], grid[None], align_corners=False)[0]
    return _change_intensity(placed[:1], settings, generator), placed[1:]


def _sampling_grid(shape: tuple[int, int], settings: Augmentation, generator: Generator) -> Tensor:
    """Source position of each pixel of the crop, `(h, w, 2)` as (x, y) in -1 to 1."""
    rows, columns = settings.crop
    y, x = torch.meshgrid(
        torch.arange(rows) - (rows - 1) / 2, torch.arange(columns) - (columns - 1) / 2,
        indexing="ij",
    )  # fmt: skip
    points = torch.stack([x, y], dim=-1) @ _linear_map(settings, generator).T
    points = points + _elastic(settings, generator)
    shift = (torch.rand(2, generator=generator) * 2 - 1) * settings.shift_pixels
    size = torch.tensor([shape[1], shape[0]], dtype=torch.float32)
    return (points + shift) * 2 / size


def _linear_map(settings: Augmentation, generator: Generator) -> Tensor:
    """Random rotation, mirroring (half of the time) and scaling from crop to image, `(2, 2)`."""
    angle = _uniform((0.0, 2 * math.pi), generator)
    scale = math.exp(_uniform(_logarithms(settings.scale), generator))
    stretch = math.sqrt(math.exp(_uniform(_logarithms(settings.stretch), generator)))
    mirror = 1.0 if _happens(0.5, generator) else -1.0
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    second = _uniform((0.0, 2 * math.pi), generator)
    before = torch.tensor(
        [[math.cos(second), -math.sin(second)], [math.sin(second), math.cos(second)]]
    )
    sizes = torch.tensor([mirror * stretch, 1.0 / stretch]) / scale
    return turn @ torch.diag(sizes) @ before


def _elastic(settings: Augmentation, generator: Generator) -> Tensor:
    """A smooth displacement, `(h, w, 2)` in pixels."""
    amount = settings.elastic_pixels * _uniform((0.0, 1.0), generator)
    return _smooth_field(2, _ELASTIC_KNOTS, settings, generator).permute(1, 2, 0) * amount


def _change_intensity(image: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    image = image.clamp(min=0.0) ** math.exp(_uniform(_logarithms(settings.gamma), generator))
    amount = settings.bias_field * _uniform((0.0, 1.0), generator)
    image = image * (_smooth_field(1, _FIELD_KNOTS, settings, generator) * amount).exp()
    image = image * math.exp(_uniform(_logarithms(settings.contrast), generator))
    image = image + _uniform(settings.brightness, generator)
    if _happens(0.3, generator):
        image = _blur(image, _uniform(settings.blur_pixels, generator))
    noise = settings.noise * _uniform((0.0, 1.0), generator)
    return image + noise * torch.randn(image.shape, generator=generator)


def _smooth_field(
    channels: int, knots: int, settings: Augmentation, generator: Generator
) -> Tensor:
    """Unit normal values at `knots` x `knots` points, smooth between them, `(channels, h, w)`."""
    coarse = torch.randn((1, channels, knots, knots), generator=generator)
    return interpolate(coarse, size=settings.crop, mode="bicubic", align_corners=True)[0]


def _blur(image: Tensor, sigma_pixels: float) -> Tensor:
    offsets = torch.arange(-3, 4, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma_pixels) ** 2)
    kernel = kernel / kernel.sum()
    rows = conv2d(image[None], kernel.view(1, 1, 7, 1), padding=(3, 0))
    return conv2d(rows, kernel.view(1, 1, 1, 7), padding=(0, 3))[0]


def _logarithms(bounds: Range) -> Range:
    return math.log(bounds[0]), math.log(bounds[1])


def _uniform(bounds: Range, generator: Generator) -> float:
    low, high = bounds
    return low + (high - low) * float(torch.rand((), generator=generator))


def _happens(probability: float, generator: Generator) -> bool:
    return float(torch.rand((), generator=generator)) < probability
