"""Samples to batches, straight from where they lie: tensors `(B, C, H, W)`."""

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
"""Image `(1, H, W)`, masks `(C, H, W)` in 0 to 1 and known `(C)`."""


class SampleDataset(Dataset[Item]):
    """Samples on the working grid, each read when it is drawn; item `n` is `n % samples`.

    Each draw has its own random numbers, so that batches do not depend on the workers.
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
    """How samples become batches."""

    batch_size: int = 5
    passes: int = 1
    """Passes over the samples in one epoch: few samples make short epochs."""
    num_workers: int = 0
    seed: int = 0
    augmentation: Augmentation = Augmentation()  # noqa: RUF009 - frozen


class SampleDataModule(lightning.LightningDataModule):
    """Training batches of random crops, and whole images one by one for validation.

    Where several processes train together, each gets its own part; the Trainer is told not to
    replace the sampler (`use_distributed_sampler=False`).
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
        """Batches image `(B, 1, H, W)`, masks `(B, C, H, W)`, known `(B, C)`, shuffled."""
        trainer = self.trainer
        if trainer is None:
            return _loader(self.training, self._settings)
        part = {"part": trainer.global_rank, "count": trainer.world_size}
        # workers draw ahead before the Trainer names the epoch
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
    """For a training loop of one's own: every time it is run through is a new shuffled epoch.

    Args:
        source: of `open_source`.
        patients: whose instances; None: all.
        settings: batch size, workers, seed, and how images are cropped and changed.
        spacing_mm: the distance between pixels to which images are brought; None: their own.

    Yields:
        image `(B, 1, H, W)`, masks `(B, C, H, W)` in 0 to 1, and known `(B, C)`: 1 where the
        structure was drawn, 0 where nobody knows.
    """
    settings = settings or BatchSettings()
    entries = source.samples(patients)
    grid = WorkingGrid(spacing_mm)
    data = SampleDataset(source, entries, grid, settings.augmentation, seed=settings.seed)
    return _loader(data, settings)


def on_working_grid(sample: Sample, grid: WorkingGrid) -> Item:
    """`sample` normalised, resampled and padded."""
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
