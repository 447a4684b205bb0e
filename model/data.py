"""Samples to batches: folds by patient, draws that a seed fixes, tensors `(B, C, H, W)`."""

import hashlib
import random
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass

import pytorch_lightning as lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from core.errors import ConfigurationError
from model.augment import Augmentation, augment
from model.checkpoint import ModelCard
from model.grid import normalise, pad_to_stride, resample, working_size
from model.samples import Collection, Sample

Item = tuple[Tensor, Tensor, Tensor]
"""Image `(1, H, W)`, masks `(C, H, W)` in 0 to 1 and known `(C)`."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Patients to train on and patients to measure on; no patient in both."""

    training: frozenset[str]
    validation: frozenset[str]


def fold_of(patients: Sequence[str], k_folds: int, index: int, seed: int) -> Fold:
    """Fold `index` of `k_folds` of `patients`, by patient; without folds all train.

    Raises:
        ConfigurationError: more folds than patients, or no such fold.
    """
    if k_folds == 0:
        return Fold(frozenset(patients), frozenset())
    if not 2 <= k_folds <= len(patients) or not 0 <= index < k_folds:
        raise ConfigurationError(
            f"--k_folds {k_folds} with --k_fold_index {index}: expected 2 to {len(patients)} folds "
            f"(there are {len(patients)} patients), or 0, and an index from 0 below that"
        )
    shuffled = sorted(patients)
    random.Random(seed).shuffle(shuffled)
    validation = frozenset(shuffled[index::k_folds])
    return Fold(frozenset(patients) - validation, validation)


def fingerprint(samples: Sequence[Sample]) -> str:
    """SHA-256 over keys and file contents of the instances and contours, in order of their keys."""
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda one: one.key):
        digest.update(sample.key.encode() + b"\x00")
        for path in sample.sources:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class SampleDataset(Dataset[Item]):
    """Samples on the working grid; item `n` of pass `p` is draw `p * samples + n`.

    Each draw has its own random numbers, so that batches do not depend on the workers.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        card: ModelCard,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self._items = [_on_working_grid(sample, card) for sample in samples]
        self._augmentation = augmentation
        self._seed = seed

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, draw: int) -> Item:
        image, masks, known = self._items[draw % len(self._items)]
        if self._augmentation is not None:
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + draw)
            image, masks = augment(image, masks, self._augmentation, generator)
        return image, masks, known


class DrawSampler(Sampler[int]):
    """`passes` shuffled passes over a data set as one epoch."""

    def __init__(self, data: Sized, passes: int, seed: int) -> None:
        self._count, self._passes, self._seed = len(data), passes, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer, so that each epoch draws anew."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._count * self._passes

    def __iter__(self) -> Iterator[int]:
        first = self._epoch * self._passes
        for number in range(first, first + self._passes):
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
            order = torch.randperm(self._count, generator=generator) + number * self._count
            yield from order.tolist()


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How samples become batches."""

    batch_size: int
    passes: int
    """Passes over the samples in one epoch: few samples make short epochs."""
    num_workers: int
    seed: int
    augmentation: Augmentation


class SampleDataModule(lightning.LightningDataModule):
    """Training batches of random crops, and whole images one by one for validation."""

    def __init__(
        self, collection: Collection, fold: Fold, card: ModelCard, settings: BatchSettings
    ) -> None:
        super().__init__()
        self._settings = settings
        training = collection.of_patients(fold.training).samples
        self.training = SampleDataset(training, card, settings.augmentation, settings.seed)
        self.validation = SampleDataset(collection.of_patients(fold.validation).samples, card)

    def train_dataloader(self) -> DataLoader[Item]:
        """Batches image `(B, 1, H, W)`, masks `(B, C, H, W)`, known `(B, C)`, shuffled."""
        settings = self._settings
        return DataLoader(
            self.training,
            batch_size=settings.batch_size,
            sampler=DrawSampler(self.training, settings.passes, settings.seed),
            num_workers=settings.num_workers,
            persistent_workers=settings.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            drop_last=True,
        )

    def val_dataloader(self) -> DataLoader[Item]:
        """Whole images of the fold's validation patients, in order."""
        return DataLoader(self.validation, batch_size=1)


def _on_working_grid(sample: Sample, card: ModelCard) -> Item:
    shape = (sample.image.shape[0], sample.image.shape[1])
    size = working_size(shape, sample.pixel_spacing_mm, card.working_spacing_mm)
    stride = 2 ** (len(card.encoder_widths) - 1)
    image = torch.from_numpy(normalise(sample.image[None], card.percentiles))
    masks = torch.from_numpy(sample.masks).float()
    return (
        pad_to_stride(resample(image[None], size), stride)[0],
        pad_to_stride(resample(masks[None], size), stride)[0].clamp(0.0, 1.0),
        torch.tensor(sample.known, dtype=torch.float32),
    )
