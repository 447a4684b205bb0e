"""A checkpoint is data: it comes back as it was, and never runs code."""

import dataclasses
import os
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import ModelError
from model.inference.card_file import read_card
from model.inference.checkpoint import FORMAT, load_checkpoint, save_checkpoint, weights_sha256
from model.inference.predict import load_segmenter
from model.inference.unet_card import UnetCard
from pipeline.kinds.unet import SHIPPED_CHECKPOINT


class _Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


def test_card_and_weights_come_back_as_they_were(small_card: UnetCard, tmp_path: Path) -> None:
    weights = {"head.weight": torch.arange(6.0).reshape(2, 3)}
    card = dataclasses.replace(small_card, measured_dice={"Inner": 0.93}, measured_on="p1")
    save_checkpoint(tmp_path / "a.ckpt", card, weights)
    loaded, tensors = load_checkpoint(tmp_path / "a.ckpt")
    assert loaded == card
    assert torch.equal(tensors["head.weight"], weights["head.weight"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]


def test_the_card_by_itself_is_the_card(small_card: UnetCard, small_checkpoint: Path) -> None:
    assert read_card(small_checkpoint) == small_card
    assert read_card(SHIPPED_CHECKPOINT) == load_checkpoint(SHIPPED_CHECKPOINT)[0]


def test_writing_the_same_model_again_gives_the_same_hash(
    small_card: UnetCard, tmp_path: Path
) -> None:
    path = tmp_path / "a.ckpt"
    hashes = []
    for _ in range(2):
        save_checkpoint(path, small_card, {"a": torch.ones(2)})
        hashes.append(weights_sha256(path))
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 64


def test_code_in_a_checkpoint_is_refused_and_not_run(small_card: UnetCard, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    content = {"format": FORMAT, "card": dataclasses.asdict(small_card), "weights": _Bomb(trap)}
    torch.save(content, tmp_path / "bomb.ckpt")
    (tmp_path / "bare.ckpt").write_bytes(pickle.dumps(_Bomb(trap)))
    for name in ("bomb.ckpt", "bare.ckpt"):
        with pytest.raises(ModelError, match=rf"{name}.*expected a"):
            load_checkpoint(tmp_path / name)
        with pytest.raises(ModelError, match=rf"{name}.*card cannot be read"):
            read_card(tmp_path / name)
    assert not trap.exists()


def test_missing_empty_and_foreign_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.ckpt").touch()
    (tmp_path / "text.ckpt").write_text("not a model")
    torch.save({"state_dict": {"a": torch.ones(1)}}, tmp_path / "foreign.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    for name in ("empty", "text", "foreign", "list", "missing"):
        with pytest.raises(ModelError, match=rf"{name}\.ckpt"):
            load_checkpoint(tmp_path / f"{name}.ckpt")
        with pytest.raises(ModelError, match=rf"{name}\.ckpt"):
            read_card(tmp_path / f"{name}.ckpt")


def test_damaged_checkpoints_fail_in_words(small_checkpoint: Path, tmp_path: Path) -> None:
    content = small_checkpoint.read_bytes()
    damaged = tmp_path / "damaged.ckpt"
    numbers = random.Random(5)
    for _ in range(60):
        changed = bytearray(content[: numbers.choice((len(content), numbers.randrange(4000)))])
        for _ in range(numbers.randrange(1, 40)):
            changed[numbers.randrange(len(changed) or 1)] = numbers.randrange(256)
        damaged.write_bytes(changed)
        for read in (load_segmenter, read_card):
            try:
                read(damaged)
            except ModelError as error:
                assert "damaged.ckpt" in str(error)
    damaged.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="damaged"):
        load_checkpoint(damaged)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("working_spacing_mm", "wide", "working_spacing_mm.*expected a valid number"),
        ("working_spacing_mm", float("nan"), "working_spacing_mm.*expected"),
        ("intended_use", "anything", "intended_use.*demonstration"),
        ("encoder_widths", (4, 10**9), "encoder_widths.1.*less than or equal to 2048"),
        ("structures", (), "structures"),
        ("views", 3, "views.*expected 1, 2, 4 or 8"),
        ("pixel_spacing_range_mm", (3.0, 0.5), "rises"),
        ("finishing", (), "finishing"),
    ],
)
def test_a_wrong_value_in_the_card_is_named(
    small_card: UnetCard, tmp_path: Path, field: str, value: Any, words: str
) -> None:
    card = {**dataclasses.asdict(small_card), field: value}
    weights = {"a": torch.ones(1)}
    torch.save({"format": FORMAT, "card": card, "weights": weights}, tmp_path / "a.ckpt")
    with pytest.raises(ModelError, match=words):
        load_checkpoint(tmp_path / "a.ckpt")


def test_a_missing_value_in_the_card_is_named(small_card: UnetCard, tmp_path: Path) -> None:
    card = dataclasses.asdict(small_card)
    del card["modalities"]
    torch.save(
        {"format": FORMAT, "card": card, "weights": {"a": torch.ones(1)}}, tmp_path / "a.ckpt"
    )
    with pytest.raises(ModelError, match="lacks modalities"):
        load_checkpoint(tmp_path / "a.ckpt")


def test_weights_of_another_network_are_refused(small_checkpoint: Path, tmp_path: Path) -> None:
    card, weights = load_checkpoint(small_checkpoint)
    wider = dataclasses.replace(card, encoder_widths=(4, 6, 12))
    save_checkpoint(tmp_path / "a.ckpt", wider, weights)
    with pytest.raises(ModelError, match="encoder widths 4,6,12"):
        load_segmenter(tmp_path / "a.ckpt")
    weights["head.bias"][0] = float("nan")
    save_checkpoint(tmp_path / "a.ckpt", card, weights)
    with pytest.raises(ModelError, match=r"head\.bias"):
        load_checkpoint(tmp_path / "a.ckpt")
