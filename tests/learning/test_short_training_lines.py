"""Short lines of `train`: folds that are too many, and 64 bits as Lightning takes them."""

from pathlib import Path

import pytest

from model import train
from model.inference.checkpoint import load_checkpoint
from tests.learning.quick import QUICK


def test_folds_are_cut_and_the_run_trains_in_double_precision(
    data_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["--data_dir", str(data_set), *QUICK, "--k_folds=9", "--precision=64", "--gpus=0"]
    assert train.main([*given, "--max_steps=1"]) == 0
    said = capsys.readouterr().out
    assert "! --k_folds 9: there are 3 patients, so 3 folds are used" in said
    assert "Wrote model.ckpt" in said
    card, _ = load_checkpoint(Path("model.ckpt"))
    assert len(card.training_patients) == 2
