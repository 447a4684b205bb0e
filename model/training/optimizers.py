"""Optimisers by name, and the one-cycle schedule of the learning rate."""

from collections.abc import Callable, Iterable, Mapping

from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, NAdam, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

_Make = Callable[[Iterable[Parameter], float], Optimizer]
_WEIGHT_DECAY = 1e-2
_MOMENTUM = 0.9
_RISING = 0.1
"""Share of the steps in which the learning rate rises to its maximum, before it falls to 0."""
_OPTIMIZERS: Mapping[str, _Make] = {
    "adamw": lambda weights, rate: AdamW(weights, lr=rate, weight_decay=_WEIGHT_DECAY),
    "adam": lambda weights, rate: Adam(weights, lr=rate),
    "nadam": lambda weights, rate: NAdam(weights, lr=rate),
    "sgd": lambda weights, rate: SGD(weights, lr=rate, momentum=_MOMENTUM, nesterov=True),
}
OPTIMIZER_NAMES = tuple(_OPTIMIZERS)


def optimizer_named(name: str, weights: Iterable[Parameter], learning_rate: float) -> Optimizer:
    """Optimiser called `name`, one of `OPTIMIZER_NAMES`, for `weights`."""
    return _OPTIMIZERS[name](weights, learning_rate)


def one_cycle(optimizer: Optimizer, learning_rate: float, steps: int) -> LRScheduler:
    """One-cycle schedule over `steps` steps, up to `learning_rate` (Smith, arXiv:1708.07120)."""
    return OneCycleLR(optimizer, max_lr=learning_rate, total_steps=max(steps, 2), pct_start=_RISING)
