"""Losses and optimisers by name: what is unknown does not train, what is right costs nothing."""

import pytest
import torch

from model.training.losses import LOSS_NAMES, loss_named
from model.training.optimizers import OPTIMIZER_NAMES, one_cycle, optimizer_named


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_an_unknown_structure_does_not_train(name: str) -> None:
    loss = loss_named(name)
    logits = torch.zeros(2, 2, 8, 6, requires_grad=True)
    targets = torch.ones(2, 2, 8, 6)
    known = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    loss(logits, targets, known).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    moved = logits.grad.abs().sum((2, 3)) > 0
    assert moved.tolist() == [[True, False], [True, True]]
    assert float(loss(logits, targets, torch.zeros(2, 2)).detach()) == 0.0


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_right_answer_costs_nothing_and_a_wrong_one_does(name: str) -> None:
    targets = torch.zeros(1, 1, 8, 6)
    targets[..., 2:5, 1:4] = 1.0
    known = torch.ones(1, 1)
    right = loss_named(name)((targets - 0.5) * 40, targets, known)
    wrong = loss_named(name)((0.5 - targets) * 40, targets, known)
    assert float(right) < 1e-3
    assert float(wrong) > 0.5


def test_the_default_is_dice_plus_cross_entropy() -> None:
    logits = torch.tensor([2.0, -1.0, 0.5, 0.0]).reshape(1, 1, 2, 2)
    targets = torch.tensor([1.0, 0.0, 1.0, 1.0]).reshape(1, 1, 2, 2)
    likely = torch.sigmoid(logits)
    overlap = float((likely * targets).sum())
    dice = 1 - (2 * overlap + 1) / (float(likely.sum()) + 3 + 1)
    entropy = -(targets * likely.log() + (1 - targets) * (1 - likely).log()).mean()
    found = loss_named("dice_ce")(logits, targets, torch.ones(1, 1))
    assert float(found) == pytest.approx(dice + float(entropy), rel=1e-5)


def test_a_small_structure_counts_as_much_as_a_large_one() -> None:
    targets = torch.zeros(2, 1, 64, 64)
    targets[0, 0, :40, :40] = 1.0
    targets[1, 0, :20, :20] = 1.0
    nothing = torch.full_like(targets, -40.0)
    loss = loss_named("dice")
    large, small = (
        float(loss(nothing[one : one + 1], targets[one : one + 1], torch.ones(1, 1)))
        for one in (0, 1)
    )
    assert large == pytest.approx(small, abs=0.01)


@pytest.mark.parametrize("name", OPTIMIZER_NAMES)
def test_every_optimiser_goes_downhill(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = optimizer_named(name, [weight], 0.1)
    schedule = one_cycle(optimizer, 0.1, 60)
    for _ in range(60):
        optimizer.zero_grad()
        (weight**2).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    assert abs(float(weight.detach())) < 2.0
