"""Batches come straight from where the samples lie, shuffled, and the log says which they are."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from structlog.testing import capture_logs

from core.errors import LearningDataError
from model.data.augment import Augmentation
from model.data.data_set_file import open_data_set
from model.data.folds import fold_of
from model.data.loading import BatchSettings, SampleDataModule, learning_batches
from model.data.samples import fingerprint
from model.inference.grid import WorkingGrid
from model.preparation.inputs.sources import open_source
from tests.learning.blobs import drawn
from tests.support.documented.commands import blocks

ROOT = Path(__file__).parents[2]
SMALL = BatchSettings(batch_size=4, seed=3, augmentation=Augmentation((32, 32)))
WITH_WORKERS = BatchSettings(
    batch_size=4, num_workers=2, seed=3, augmentation=Augmentation((32, 32))
)


def test_the_loop_of_the_documentation_learns(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [block] = [one for one in blocks(ROOT / "docs" / "own_model.md") if one.language == "python"]
    lines = block.text.replace("range(10)", "range(1)")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("data.h5").symlink_to(data_set)
    found: dict[str, Any] = {}
    exec(lines, found)
    assert found["images"].shape[1:] == (1, 128, 128)
    assert found["masks"].shape[1:] == (2, 128, 128)
    assert found["known"].shape[1:] == (2,)
    assert all(one.grad is not None for one in found["network"].parameters())


def test_every_epoch_of_a_plain_loop_has_another_order(data_set: Path) -> None:
    batches = learning_batches(open_data_set(data_set), settings=SMALL)
    first, second = ([images for images, _, _ in batches] for _ in range(2))
    assert len(first) == 4
    assert not torch.equal(first[0], second[0])


def test_workers_read_the_same_batches(data_set: Path) -> None:
    source = open_data_set(data_set)
    source.read(source.samples()[0])  # the file is open when the workers are forked
    alone, helped = (
        [batch for _ in range(2) for batch in learning_batches(source, settings=settings)]
        for settings in (SMALL, WITH_WORKERS)
    )
    for one, other in zip(alone, helped, strict=True):
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def test_the_log_says_what_a_batch_holds_and_that_it_was_shuffled(data_set: Path) -> None:
    source = open_data_set(data_set)
    with capture_logs() as lines:
        list(learning_batches(source, {"a", "b"}, SMALL))
    shuffled = [line for line in lines if line["event"] == "samples shuffled"]
    batches = [line for line in lines if line["event"] == "batch"]
    assert [(line["log_level"], line["epoch"]) for line in shuffled] == [("debug", 0)]
    assert [line["batch"] for line in batches] == [0, 1, 2]
    keys = [key for line in batches for key in line["cases"]]
    assert sorted(keys) == [entry.key for entry in source.samples({"a", "b"})]
    assert keys != sorted(keys)


def test_folds_of_a_data_set_are_by_patient(data_set: Path) -> None:
    source = open_data_set(data_set)
    fold = fold_of(source.patients, 3, 1, seed=5)
    data = SampleDataModule(source, fold, WorkingGrid(1.5, stride=4), SMALL)
    assert {entry.patient for entry in data.training.entries} == fold.training
    assert {entry.patient for entry in data.validation.entries} == fold.validation
    image, masks, _ = next(iter(data.val_dataloader()))
    assert image.shape == (1, 1, 36, 48)
    assert masks.shape == (1, 2, 36, 48)


def test_folders_of_arrays_are_a_source_of_their_own(array_folder: Path) -> None:
    source = open_source(array_folder)
    assert [entry.key for entry in source.samples()] == [
        f"{patient}/{number}" for patient in ("p1", "p2") for number in (1, 2, 10)
    ]
    sample = source.read(source.samples({"p2"})[1])
    assert np.array_equal(sample.image, drawn(2, seed=2).image)
    assert sample.pixel_spacing_mm == (1.0, 1.0)
    assert len(list(learning_batches(source, settings=SMALL))) == 1
    assert len(fingerprint(source.samples())) == 64


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("p1/mask/2.npy", np.zeros((1, 9, 9)), "expected the same"),
        ("p1/mask/2.npy", np.zeros((9, 9)), r"expected \(1, rows, columns\)"),
        ("p1/mask/2.npy", np.zeros((2, 40, 48)), "2 channels"),
        ("p1/img/2.npy", np.full((1, 40, 48), np.nan), "finite"),
        ("p1/img/2.npy", np.array([["a"]]), "expected numbers"),
        ("p1/mask/2.npy", None, "image without its mask"),
        ("p1/img/2.npy", None, "mask without its image"),
    ],
)
def test_arrays_that_do_not_fit_are_named_and_the_rest_is_kept(
    array_folder: Path, name: str, values: npt.NDArray[np.generic] | None, words: str
) -> None:
    (array_folder / name).unlink()
    if values is not None:
        np.save(array_folder / name, values)
    source = open_source(array_folder)
    assert len(source.samples()) == 5
    assert [defect.key for defect in source.defects] == ["p1/2"]
    assert re.search(words, source.defects[0].reason)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LearningDataError, match="expected an HDF5 data set"):
        open_source(tmp_path)
    (tmp_path / "a.h5").write_text("rubbish")
    with pytest.raises(LearningDataError, match="not HDF5"):
        open_source(tmp_path / "a.h5")
