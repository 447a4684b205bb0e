"""`python -m bench.augmentation`: augmentation of samples, compared with MONAI's transforms."""

import argparse
import sys
from typing import Any

import torch

from bench.isolated import Prepared, run_isolated
from bench.report import OURS, measure, report
from model.data.augment import Augmentation, augment


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224, help="rows and columns of the image")
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    values = parser.parse_args()
    sizes = [str(one) for one in (values.size, values.crop, values.samples)]

    def side(function: str) -> Any:
        return lambda: run_isolated(sys.executable, f"bench.augmentation:{function}", *sizes)

    case = measure("turn, scale, bend, shift, grey values", values.runs, {
        OURS: side("ours"), "MONAI": side("monais"),
    })  # fmt: skip
    title = f"{values.samples} samples of {values.size} x {values.size}, 3 layers, to {values.crop}"
    report("augmentation", title, vars(values), [case])


def ours(size: str, crop: str, samples: str) -> Prepared:
    """Augmentation by `model.data.augment`."""
    settings = Augmentation(crop=(int(crop), int(crop)))
    image, masks = _sample(int(size))

    def work() -> Any:
        for number in range(int(samples)):
            result = augment(image, masks, settings, torch.Generator().manual_seed(number))
        return result

    return work, _shape


def monais(size: str, crop: str, samples: str) -> Prepared:
    """MONAI's transforms of the same kinds and ranges, with random numbers for each sample."""
    from monai.transforms.intensity.array import (  # noqa: PLC0415 - ours is measured without it
        RandAdjustContrast,
        RandBiasField,
        RandGaussianNoise,
        RandGaussianSmooth,
        RandScaleIntensity,
        RandShiftIntensity,
    )
    from monai.transforms.spatial.array import Rand2DElastic  # noqa: PLC0415

    settings = Augmentation()
    spatial = Rand2DElastic(
        spacing=(int(crop) // 5,) * 2, magnitude_range=(0.0, settings.elastic_pixels), prob=1.0,
        rotate_range=3.1416, scale_range=((-0.5, 0.4),) * 2,
        translate_range=settings.shift_pixels, spatial_size=(int(crop),) * 2,
        padding_mode="zeros",
    )  # fmt: skip
    grey = [
        RandAdjustContrast(prob=1.0, gamma=settings.gamma),
        RandBiasField(prob=1.0, degree=3, coeff_range=(0.0, 0.1)),
        RandScaleIntensity(prob=1.0, factors=0.35),
        RandShiftIntensity(prob=1.0, offsets=0.15),
        RandGaussianSmooth(prob=0.3, sigma_x=settings.blur_pixels, sigma_y=settings.blur_pixels),
        RandGaussianNoise(prob=1.0, std=settings.noise),
    ]
    stack = torch.cat(_sample(int(size)))

    def work() -> Any:
        for number in range(int(samples)):
            for transform in (spatial, *grey):
                transform.set_random_state(seed=number)
            placed = spatial(stack)
            image = placed[:1]
            for transform in grey:
                image = transform(image)
            result = torch.as_tensor(image), torch.as_tensor(placed[1:])
        return result

    return work, _shape


def _shape(result: Any) -> dict[str, Any]:
    image, masks = result
    return {"image": tuple(image.shape), "masks": tuple(masks.shape)}


def _sample(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    return torch.rand(1, size, size), (torch.rand(2, size, size) > 0.5).float()


if __name__ == "__main__":
    main()
