"""A training that was killed goes on as if it had not been."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.errors import ConfigurationError
from model import train
from model.inference.checkpoint import load_checkpoint
from model.training.resuming import RESUME_FILE, read_state
from tests.learning.quick import QUICK

ROOT = Path(__file__).parents[2]
LENGTH = ("--max_steps", "48")
"""Six epochs."""


def losses(folder: Path) -> dict[str, dict[int, float]]:
    """By step: of each epoch's training and validation."""
    events = EventAccumulator(str(folder)).Reload()
    names = ("loss_epoch", "validation_loss", "dice")
    return {name: {one.step: one.value for one in events.Scalars(name)} for name in names}


def killed_after_an_epoch(arguments: list[str], state: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "model.train", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while not state.exists() and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()


@pytest.mark.slow
def test_a_killed_training_reaches_the_loss_of_an_uninterrupted_one(
    data_set: Path, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole.ckpt", tmp_path / "cut.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, *LENGTH]
    assert train.main([*given, "--output", str(whole)]) == 0
    run = tmp_path / "cut.runs" / "run_0"
    killed_after_an_epoch([*given, "--output", str(cut)], run / RESUME_FILE)
    done = read_state(run / RESUME_FILE)["epochs"]
    assert 1 <= done < 6
    assert train.main([*given, "--output", str(cut), "--resume", "--num_workers", "1"]) == 0
    expected = losses(tmp_path / "whole.runs" / "run_0")
    assert len(expected["loss_epoch"]) == 6
    for name, found in losses(run).items():
        assert found.items() <= expected[name].items()
        assert set(list(expected[name])[done:]) <= set(found)  # a kill may lose the last point
    assert not (tmp_path / "cut.runs" / "run_1").exists()
    cards, weights = zip(*(load_checkpoint(path) for path in (whole, cut)), strict=True)
    assert cards[0] == cards[1]
    assert all(bool((weights[0][name] == weights[1][name]).all()) for name in weights[0])


def test_a_finished_training_that_is_resumed_stays_as_it_is(data_set: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--max_steps", "4", "--output", str(output)]
    assert train.main(given) == 0
    first = output.read_bytes()
    assert train.main([*given, "--resume"]) == 0
    assert output.read_bytes() == first


def test_another_training_is_not_resumed(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data_dir", str(data_set), *QUICK, "--output", str(tmp_path / "a.ckpt"), "--resume"]
    assert train.main([*given, "--max_steps", "4"]) == 0
    assert "starting anew" in capsys.readouterr().out
    assert train.main([*given, "--max_steps", "4", "--seed", "2"]) == 2
    assert "--resume: seed was 1 in" in capsys.readouterr().err
    assert train.main([*given, "--max_steps", "4", "--around", "Outer:Inner"]) == 2
    assert "--resume: around was" in capsys.readouterr().err
    for option, value in (("scale", "0.9,1.1"), ("gradient_clip_algorithm", "value")):
        assert train.main([*given, "--max_steps", "4", f"--{option}", value]) == 2
        assert f"--resume: {option} was" in capsys.readouterr().err
    (tmp_path / "a.runs" / "run_0" / RESUME_FILE).write_bytes(b"nothing")
    assert train.main([*given, "--max_steps", "4"]) == 2
    assert "damaged" in capsys.readouterr().err


def test_a_run_of_a_version_that_recorded_fewer_options_is_resumed(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "a.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--max_steps", "4", "--output", str(output)]
    given += ["--limit_val_batches", "1"]
    assert train.main(given) == 0
    settings = tmp_path / "a.runs" / "run_0" / "settings.json"
    recorded = json.loads(settings.read_text())
    assert (recorded.pop("scale"), recorded.pop("limit_val_batches")) == ([0.7, 1.4], 1)
    settings.write_text(json.dumps(recorded))
    assert train.main([*given, "--resume"]) == 0
    assert train.main([*given, "--resume", "--scale", "0.9,1.1"]) == 2
    assert "--resume: scale was [0.7, 1.4] in" in capsys.readouterr().err


def test_a_state_without_its_counts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="damaged"):
        read_state(tmp_path / "none.ckpt")


def test_the_log_says_which_cases_a_batch_held_and_that_they_were_shuffled(
    data_set: Path, tmp_path: Path
) -> None:
    given = ["--data_dir", str(data_set), *QUICK, "--output", str(tmp_path / "a.ckpt")]
    assert train.main([*given, "--max_steps", "4"]) == 0
    lines = (tmp_path / "a.runs" / "run_0" / "debug.log").read_text().splitlines()
    batches = [line for line in lines if '"event": "batch"' in line]
    assert len(batches) >= 4
    assert all('"level": "debug"' in line and '"cases": [' in line for line in batches)
    assert any('"event": "samples shuffled"' in line for line in lines)


def test_images_and_curves_are_logged_for_tensorboard(data_set: Path, tmp_path: Path) -> None:
    given = ["--data_dir", str(data_set), *QUICK, "--output", str(tmp_path / "a.ckpt")]
    assert train.main([*given, "--max_epochs", "2", "--log_every_n_steps", "1"]) == 0
    tags = EventAccumulator(str(tmp_path / "a.runs" / "run_0")).Reload().Tags()
    assert {"training", "validation/0"} <= set(tags["images"])
    expected = {"loss_epoch", "validation_loss", "dice", "dice/Inner", "learning_rate"}
    assert expected <= set(tags["scalars"])


@pytest.mark.slow
def test_two_processes_train_together_and_one_of_them_writes(
    data_set: Path, tmp_path: Path
) -> None:
    output = tmp_path / "both.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--max_epochs", "2", "--output", str(output)]
    given += ["--accelerator", "cpu", "--devices", "2", "--strategy", "ddp"]
    command = [sys.executable, "-W", "ignore", "-m", "model.train", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Wrote ") == 1
    assert [path.name for path in (tmp_path / "both.runs").iterdir()] == ["run_0"]
    assert load_checkpoint(output)[0].measured_dice
