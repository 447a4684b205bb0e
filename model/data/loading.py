"""Data loaders that read samples on demand and make batches `(B, C, H, W)`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from model.data.augment import Augmentation, augment
from model.data.batches import DrawSampler, LoggedBatches
from model.data.folds import Fold
from model.data.samples import Sample, SampleEntry, SampleSource
from model.inference.grid import WorkingGrid, normalise, pad_to_stride, resample, working_size

Item = tuple[Tensor, Tensor, Tensor]
"""Image `(1, H, W)`, masks `(C, H, W)` in 0 to 1, and known `(C)`: 1 if drawn, else 0."""


class SampleDataset(Dataset[Item]):
    """Samples on the working grid, read on demand; item `n` is sample `n % len(entries)`.

    Random numbers depend on the item alone, so that batches do not depend on the workers.
    """

    def __init__(
        self,
        source: SampleSource,
        entries: Sequence[SampleEntry],
        grid: WorkingGrid,
        augmentation: Augmentation | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.entries = tuple(entries)
        self._source, self._grid = source, grid
        self._augmentation = augmentation
        self._seed = seed

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, draw: int) -> Item:
        sample = self._source.read(self.entries[draw % len(self.entries)])
        image, masks, known = on_working_grid(sample, self._grid)
        if self._augmentation is not None:
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + draw)
            image, masks = augment(image, masks, self._augmentation, generator)
        return image, masks, known


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Size, order and augmentation of batches."""

    batch_size: int = 5
    passes: int = 1
    """Passes over the samples in one epoch; more than 1 makes epochs of few samples longer."""
    num_workers: int = 0
    seed: int = 0
    augmentation: Augmentation = Augmentation()  # noqa: RUF009 - frozen


class SampleDataModule(lightning.LightningDataModule):
    """Batches of random crops for training, and single whole images for validation.

    If several processes train together, each gets its own part of the samples: the Trainer must
    not replace the sampler (`use_distributed_sampler=False`).
    """

    def __init__(
        self, source: SampleSource, fold: Fold, grid: WorkingGrid, settings: BatchSettings
    ) -> None:
        super().__init__()
        self._settings = settings
        self.training = SampleDataset(
            source, source.samples(fold.training), grid, settings.augmentation, seed=settings.seed
        )
        self.validation = SampleDataset(source, source.samples(fold.validation), grid)

    def train_dataloader(self) -> DataLoader[Item]:
        """Shuffled batches of image `(B, 1, H, W)`, masks `(B, C, H, W)` and known `(B, C)`."""
        trainer = self.trainer
        if trainer is None:
            return _loader(self.training, self._settings)
        part = {"part": trainer.global_rank, "count": trainer.world_size}
        # workers prefetch batches before the Trainer sets the epoch
        return _loader(self.training, self._settings, epoch=trainer.current_epoch, **part)

    def val_dataloader(self) -> DataLoader[Item]:
        """Whole images of the fold's validation patients, in order."""
        workers = self._settings.num_workers
        return DataLoader(
            self.validation, batch_size=1, num_workers=workers, persistent_workers=workers > 0
        )


def learning_batches(
    source: SampleSource,
    patients: Collection[str] | None = None,
    settings: BatchSettings | None = None,
    *,
    spacing_mm: float | None = None,
) -> DataLoader[Item]:
    """Loader of training batches for a custom training loop; each iteration is a new epoch.

    Args:
        source: the samples, from `open_source`.
        patients: keys of the patients to take; None takes all.
        settings: batch size, workers, seed, and augmentation.
        spacing_mm: pixel spacing to resample images to; None keeps their own.

    Returns:
        Loader of image `(B, 1, H, W)`, masks `(B, C, H, W)` in 0 to 1, and known `(B, C)`: 1 if
        the structure was drawn, 0 if unknown.
    """
    settings = settings or BatchSettings()
    entries = source.samples(patients)
    grid = WorkingGrid(spacing_mm)
    data = SampleDataset(source, entries, grid, settings.augmentation, seed=settings.seed)
    return _loader(data, settings)


def on_working_grid(sample: Sample, grid: WorkingGrid) -> Item:
    """Normalise, resample and pad `sample`; returns image, masks and known."""
    image = torch.from_numpy(normalise(sample.image[None], grid.percentiles))
    masks = torch.from_numpy(sample.masks).float()
    if grid.spacing_mm is not None:
        shape, spacing = sample.entry.shape, sample.pixel_spacing_mm
        size = working_size(shape, spacing, grid.spacing_mm)
        image, masks = resample(image[None], size)[0], resample(masks[None], size)[0].clamp(0, 1)
    if grid.stride > 1:
        image, masks = (pad_to_stride(one[None], grid.stride)[0] for one in (image, masks))
    return image, masks, torch.tensor(sample.known, dtype=torch.float32)


def _loader(
    data: SampleDataset, settings: BatchSettings, *, epoch: int = 0, **part: Any
) -> DataLoader[Item]:
    sampler = DrawSampler(data, settings.passes, settings.seed, **part)
    sampler.set_epoch(epoch)
    keys = [entry.key for entry in data.entries]
    return DataLoader(
        data,
        batch_sampler=LoggedBatches(sampler, settings.batch_size, keys),
        num_workers=settings.num_workers,
        persistent_workers=settings.num_workers > 0,
        pin_memory=torch.cuda.is_available(),
    )
