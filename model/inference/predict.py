"""Segmentation of the instances of a series with a trained UNet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import ModelError
from core.job import Report
from imaging.instances.header import Header
from model.inference.checkpoint import load_checkpoint, weights_sha256
from model.inference.grid import Images, normalise, pad_to_stride, resample, working_size
from model.inference.postprocessing import missing_rings, postprocess
from model.inference.segmenter import Mask
from model.inference.unet import UNet
from model.inference.unet_card import UnetCard

_AT_A_TIME = {"cpu": 4, "cuda": 32}
"""Instances in one batch; on a CPU more would take memory and be no faster."""


@dataclass(frozen=True, slots=True)
class UnetSegmenter:
    """UNet with its card; `predict` is deterministic on the CPU."""

    card: UnetCard
    sha256: str
    """Hash of the checkpoint file."""
    network: UNet

    @property
    def device(self) -> torch.device:
        """Device that holds the network."""
        return next(self.network.parameters()).device

    def check_fits(self, headers: Sequence[Header]) -> None:
        """Check that the model may be used on a series with these `headers`.

        Raises:
            ModelError: wrong modality, not greyscale, or pixel spacing missing or out of range.
        """
        for header in headers:
            reason = _misfit(self.card, header)
            if reason:
                raise ModelError(f"Model '{self.card.name}' expects {reason}")

    def predict(
        self,
        images: Images,
        pixel_spacing_mm: tuple[float, float],
        report: Report | None = None,
        *,
        at_a_time: int | None = None,
    ) -> dict[str, Mask]:
        """Masks [instance, row, column] by structure name, after postprocessing.

        Args:
            images: rescaled values [instance, row, column] of any size.
            pixel_spacing_mm: the distance between rows, then between columns.
            report: called with the progress, 0 to 1, and a text.
            at_a_time: instances in one batch; None chooses by device.

        Raises:
            ModelError: the array has another shape, or values that are not finite.
        """
        _check_images(images)
        masks = {
            structure.name: np.zeros(images.shape, dtype=np.bool_)
            for structure in self.card.structures
        }
        reach = _one_working_pixel(pixel_spacing_mm, self.card.working_spacing_mm)
        step = at_a_time or _AT_A_TIME.get(self.device.type, 1)
        for start in range(0, len(images), step):
            part = slice(start, min(start + step, len(images)))
            for offset, layers in enumerate(self.probabilities(images[part], pixel_spacing_mm)):
                drawn = postprocess(layers, self.card.structures, self.card.finishing, reach=reach)
                for name, mask in drawn.items():
                    masks[name][start + offset] = mask
            if report is not None:
                report(part.stop / len(images), f"segmented {part.stop} of {len(images)} instances")
        return masks

    def remarks(self, masks: Mapping[str, Mask]) -> list[str]:
        """Warnings about rings that are empty where their inner structure is not."""
        return missing_rings(masks, self.card.structures, self.card.finishing)

    def probabilities(
        self, images: Images, pixel_spacing_mm: tuple[float, float]
    ) -> npt.NDArray[np.float32]:
        """Probabilities [instance, structure, row, column], 0 to 1, of `images` as one batch."""
        shape = (images.shape[1], images.shape[2])
        size = working_size(shape, pixel_spacing_mm, self.card.working_spacing_mm)
        batch = torch.from_numpy(normalise(images, self.card.percentiles))[:, None]
        with torch.inference_mode(), _mixed_precision(self.device):
            working = resample(batch.to(self.device), size)
            mean = _mean_over_views(self.network, working, self.card.views).float()
            result = resample(mean, shape)
        layers: npt.NDArray[np.float32] = result.cpu().numpy()
        return layers


def load_segmenter(path: Path) -> UnetSegmenter:
    """Load the model in the checkpoint `path`, onto the GPU if there is one.

    Raises:
        ModelError: the file is not a checkpoint, or its weights do not match its card.
    """
    card, weights = load_checkpoint(path)
    network = UNet(card.encoder_widths, len(card.structures))
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(
            f"{path.name}: the weights are not those of a UNet with encoder widths "
            f"{','.join(map(str, card.encoder_widths))} and {len(card.structures)} structures"
        ) from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return UnetSegmenter(card, weights_sha256(path), network.to(device).eval())


def _mixed_precision(device: torch.device) -> torch.autocast:
    """Mixed precision on a GPU only: on a CPU results are reproducible bit by bit."""
    return torch.autocast(device.type, torch.float16, enabled=device.type == "cuda")


def _mean_over_views(network: UNet, images: Tensor, views: int) -> Tensor:
    """Mean probabilities over the first `views` of the eight flips and rotations of an image."""
    total: Tensor | None = None
    for view in range(views):
        probabilities = _from_view(_run(network, _to_view(images, view)), view)
        total = probabilities if total is None else total + probabilities
    if total is None:
        raise ValueError("views is 0, expected 1, 2, 4 or 8")
    return total / views


def _run(network: UNet, images: Tensor) -> Tensor:
    rows, columns = images.shape[-2:]
    logits: Tensor = network(pad_to_stride(images, network.stride))
    return logits[..., :rows, :columns].float().sigmoid()


def _to_view(images: Tensor, view: int) -> Tensor:
    """View 0 is the image, 1 is rotated by 180 degrees; 2 and 3 mirror, 4 to 7 transpose these."""
    if view & 1:
        images = images.flip(-1, -2)
    if view & 2:
        images = images.flip(-1)
    return images.transpose(-1, -2) if view & 4 else images


def _from_view(images: Tensor, view: int) -> Tensor:
    if view & 4:
        images = images.transpose(-1, -2)
    if view & 2:
        images = images.flip(-1)
    return images.flip(-1, -2) if view & 1 else images


def _one_working_pixel(spacing_mm: tuple[float, float], working_mm: float) -> tuple[int, int]:
    """Size of a pixel of the working grid in pixels of the image (rows, columns), at least 1."""
    rows, columns = (max(1, round(working_mm / one)) for one in spacing_mm)
    return rows, columns


def _misfit(card: UnetCard, header: Header) -> str:
    """Expectation of the card that this instance does not meet, or "" if it fits."""
    series = f"series {header.series_instance_uid}"
    if header.modality not in card.modalities:
        return (
            f"{' or '.join(card.modalities)}, {series} is {header.modality or 'without modality'}"
        )
    if header.samples_per_pixel != 1:
        return f"grey images, {series} has {header.samples_per_pixel} samples per pixel"
    low, high = card.pixel_spacing_range_mm
    if header.pixel_spacing_mm is None:
        return f"a pixel spacing of {low:g} to {high:g} mm, {series} states none"
    if not all(low <= spacing <= high for spacing in header.pixel_spacing_mm):
        row, column = header.pixel_spacing_mm
        return f"a pixel spacing of {low:g} to {high:g} mm, {series} has {row:g} x {column:g} mm"
    return ""


def _check_images(images: Images) -> None:
    if images.ndim != 3 or 0 in images.shape[1:]:
        raise ModelError(f"Images of shape {images.shape}, expected [instance, row, column]")
    if not all(np.isfinite(image).all() for image in images):  # not all at once, for memory
        raise ModelError("Images hold values that are not finite numbers")
