"""Which samples make a batch: shuffled by a seed, said in the log."""

from collections.abc import Iterator, Sequence, Sized

import structlog
import torch
from torch.utils.data import BatchSampler, Sampler

_log = structlog.get_logger(__name__)


class DrawSampler(Sampler[int]):
    """`passes` shuffled passes over a data set as one epoch; each epoch in another order.

    Draw `p * samples + n` is sample `n` in pass `p`, so that no two draws are the same. Of `count`
    processes that train together each draws its own `part`.
    """

    def __init__(
        self, data: Sized, passes: int, seed: int, *, part: int = 0, count: int = 1
    ) -> None:
        self._samples, self._passes, self._seed = len(data), passes, seed
        self._part, self._count = part, count
        self._epoch = 0
        self.drawing = 0
        """The epoch that is being drawn."""

    def set_epoch(self, epoch: int) -> None:
        """Which epoch is drawn next; a Trainer says it, else they follow each other."""
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
    """Batches of draws; at debug level the log says which samples each holds, by their keys."""

    sampler: DrawSampler

    def __init__(self, sampler: DrawSampler, batch_size: int, keys: Sequence[str]) -> None:
        super().__init__(sampler, batch_size, drop_last=len(sampler) >= batch_size)
        self._keys = keys

    def __iter__(self) -> Iterator[list[int]]:
        for number, draws in enumerate(super().__iter__()):
            cases = [self._keys[draw % len(self._keys)] for draw in draws]
            _log.debug("batch", epoch=self.sampler.drawing, batch=number, cases=cases)
            yield draws
