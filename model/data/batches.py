"""Samplers that shuffle samples by a seed and log the composition of batches."""

from collections.abc import Iterator, Sequence, Sized

import structlog
import torch
from torch.utils.data import BatchSampler, Sampler

_log = structlog.get_logger(__name__)


class DrawSampler(Sampler[int]):
    """Sampler whose epoch is `passes` passes over a data set, shuffled differently each time.

    Index `p * samples + n` stands for sample `n` in pass `p`, so that no index comes twice. Of
    `count` processes that train together, each draws its own `part` (0 to `count` - 1).
    """

    def __init__(
        self, data: Sized, passes: int, seed: int, *, part: int = 0, count: int = 1
    ) -> None:
        self._samples, self._passes, self._seed = len(data), passes, seed
        self._part, self._count = part, count
        self._epoch = 0
        self.drawing = 0
        """Number of the epoch being drawn."""

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the epoch drawn next; without a call, epochs count up."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._samples * self._passes // self._count

    def __iter__(self) -> Iterator[int]:
        self.drawing = epoch = self._epoch
        self._epoch += 1
        _log.debug("samples shuffled", epoch=epoch, seed=self._seed, samples=self._samples)
        draws = self._draws(epoch)
        for number, draw in enumerate(draws[: len(self) * self._count]):
            if number % self._count == self._part:
                yield draw

    def _draws(self, epoch: int) -> list[int]:
        first = epoch * self._passes
        draws: list[int] = []
        for number in range(first, first + self._passes):
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
            order = torch.randperm(self._samples, generator=generator)
            draws += (order + number * self._samples).tolist()
        return draws


class LoggedBatches(BatchSampler):
    """Batch sampler that logs the keys of each batch's samples at debug level."""

    sampler: DrawSampler

    def __init__(self, sampler: DrawSampler, batch_size: int, keys: Sequence[str]) -> None:
        super().__init__(sampler, batch_size, drop_last=len(sampler) >= batch_size)
        self._keys = keys

    def __iter__(self) -> Iterator[list[int]]:
        for number, draws in enumerate(super().__iter__()):
            cases = [self._keys[draw % len(self._keys)] for draw in draws]
            _log.debug("batch", epoch=self.sampler.drawing, batch=number, cases=cases)
            yield draws
