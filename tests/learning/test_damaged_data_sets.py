"""A data set with a damaged image: named, counted, and nothing that was done is lost."""

import json
import re
import shutil
from pathlib import Path

import pytest

from model import evaluate, train
from model.inference.checkpoint import load_checkpoint
from model.training.resuming import RESUME_FILE
from tests.learning.blobs import damage
from tests.learning.quick import QUICK

FOLD = ("--k_fold_index", "0", "--max_steps", "4")


@pytest.fixture(scope="module")
def checkpoint_of_a_fold(
    shared_data_set: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A checkpoint that hardly trained, and the patient it has not seen."""
    output = tmp_path_factory.mktemp("fold") / "fold.ckpt"
    given = ["--data_dir", str(shared_data_set), *QUICK, *FOLD, "--output", str(output)]
    assert train.main(given) == 0
    [unseen] = {"a", "b", "c"} - set(load_checkpoint(output)[0].training_patients)
    return output, unseen


@pytest.fixture
def trained(checkpoint_of_a_fold: tuple[Path, str], data_set: Path) -> tuple[Path, str]:
    """A copy beside a data set that may be damaged."""
    checkpoint, unseen = checkpoint_of_a_fold
    return Path(shutil.copy(checkpoint, data_set.parent)), unseen


def asked(checkpoint: Path, data_set: Path) -> list[str]:
    report = str(checkpoint.with_suffix(".html"))
    given = ["--checkpoint", str(checkpoint), "--data_dir", str(data_set)]
    return [*given, "--report", report, "--threads", "1"]


def test_evaluation_names_damaged_images_counts_them_and_measures_the_others(
    data_set: Path, trained: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, unseen = trained
    damage(data_set, unseen, 1)
    damage(data_set, unseen, 4)
    assert evaluate.main(asked(checkpoint, data_set)) == 1
    found = json.loads(checkpoint.with_suffix(".json").read_text())
    assert [one["key"] for one in found["damaged"]] == [f"{unseen}/1", f"{unseen}/4"]
    assert {one["key"] for one in found["measurements"]} == {f"{unseen}/{n}" for n in (0, 2, 3, 5)}
    page = checkpoint.with_suffix(".html").read_text()
    assert "Could not be read, not counted: 2" in page
    assert f"{unseen}/1: data.h5: instance {unseen}/1 cannot be read" in page
    said = capsys.readouterr().out
    assert "! 2 images could not be read" in said
    assert f"{unseen}/4: data.h5: instance {unseen}/4" in said


def test_evaluation_of_a_whole_data_set_ends_with_0_and_names_none(
    data_set: Path, trained: tuple[Path, str]
) -> None:
    checkpoint, _ = trained
    assert evaluate.main(asked(checkpoint, data_set)) == 0
    assert json.loads(checkpoint.with_suffix(".json").read_text())["damaged"] == []
    assert "Could not be read" not in checkpoint.with_suffix(".html").read_text()


def test_evaluation_of_nothing_but_damaged_images_is_refused_in_one_sentence(
    data_set: Path, trained: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, unseen = trained
    for index in range(6):
        damage(data_set, unseen, index)
    assert evaluate.main(asked(checkpoint, data_set)) == 2
    said = capsys.readouterr().err
    assert said.startswith("Not one of 6 images could be read, the first: data.h5: instance")
    assert said.count("\n") == 1


@pytest.mark.parametrize("workers", ["0", "2"])
def test_training_ends_with_one_sentence_that_names_file_and_image(
    data_set: Path,
    checkpoint_of_a_fold: tuple[Path, str],
    workers: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, unseen = checkpoint_of_a_fold
    patient = min({"a", "b", "c"} - {unseen})
    damage(data_set, patient, 2)
    capsys.readouterr()
    given = ["--data_dir", str(data_set), *QUICK, *FOLD, "--output", str(data_set) + ".ckpt"]
    assert train.main([*given, "--num_workers", workers]) == 2
    pattern = rf"data\.h5: instance {patient}/2 cannot be read \(.+\)\n"
    assert re.fullmatch(pattern, capsys.readouterr().err)


def test_epochs_that_were_finished_before_the_damage_are_kept(data_set: Path) -> None:
    output = data_set.parent / "cut.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--max_epochs", "1", "--output", str(output)]
    assert train.main(given) == 0
    first = output.read_bytes()
    damage(data_set, "a", 0)
    damage(data_set, "b", 0)
    assert train.main([*given, "--max_epochs", "2"]) == 2
    assert output.read_bytes() == first
    assert (data_set.parent / "cut.runs" / "run_0" / RESUME_FILE).is_file()


def test_a_patient_to_be_measured_in_the_end_may_be_damaged(
    data_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(data_set, "c", 1)
    output = data_set.parent / "all.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--max_steps", "2", "--k_folds", "0"]
    assert train.main([*given, "--measure", "c", "--output", str(output)]) == 0
    assert "! 1 image could not be read and counts" in capsys.readouterr().out
    assert load_checkpoint(output)[0].measured_on == "c"
