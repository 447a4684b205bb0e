"""Evaluating checkpoints: on patients not seen, on the original grid, worst instances first."""

import json
import math
import re
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from imaging.metrics import hausdorff_95_mm, mean_surface_distance_mm
from model import evaluate, train
from model.data.data_set_file import open_data_set
from model.evaluation.measure import Measurement
from model.evaluation.page import Findings, page
from model.evaluation.patients import evaluate as evaluation_of
from model.evaluation.score_table import table_of, wide_console
from model.evaluation.summaries import mean_dice, summarise
from model.inference.checkpoint import load_checkpoint
from tests.learning.quick import QUICK


def two_folds(data_set: Path, tmp_path: Path, *options: str) -> list[Path]:
    """Checkpoints that have not seen one of three patients each, and hardly trained."""
    paths = [tmp_path / f"fold{number}.ckpt" for number in (0, 1)]
    for number, path in enumerate(paths):
        given = ["--data_dir", str(data_set), *QUICK, "--name", path.stem, "--max_steps", "4"]
        given += options
        assert train.main([*given, "--k_fold_index", str(number), "--output", str(path)]) == 0
    return paths


@pytest.fixture(scope="module")
def folds(shared_data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same for the tests that only evaluate them."""
    return two_folds(shared_data_set, tmp_path_factory.mktemp("folds"))


def test_every_fold_is_measured_on_the_patients_it_has_not_seen(
    folds: list[Path], data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = folds
    report = tmp_path / "reports" / "folds.html"
    given = ["--checkpoint", *map(str, paths), "--data_dir", str(data_set), "--threads", "1"]
    assert evaluate.main([*given, "--report", str(report), "--pictures", "5"]) == 0
    found = json.loads(report.with_suffix(".json").read_text())
    for path, model in zip(paths, found["models"], strict=True):
        trained = load_checkpoint(path)[0].training_patients
        assert set(model["measured_on"]) == {"a", "b", "c"} - set(trained)
    measured = {one["patient"] for one in found["measurements"]}
    assert len(measured) == 2
    assert {(one["patient"], one["structure"]) for one in found["summaries"]} == {
        (patient, structure) for patient in (*measured, "all") for structure in ("Inner", "Outer")
    }
    shown = report.read_text()
    assert shown.count("<figure>") == 5
    assert "http" not in re.sub(r"base64,[^\"]+", "", shown)
    scores = [float(one) for one in re.findall(r"<figcaption>.*?Dice ([\d.]+)", shown)]
    assert scores == sorted(scores)
    assert scores[0] == pytest.approx(min(one["dice"] for one in found["measurements"]), abs=1e-3)
    assert "volume" in capsys.readouterr().out


def test_a_patient_that_was_trained_on_is_measured_only_when_it_is_named(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "all.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--k_folds", "0", "--max_steps", "2"]
    assert train.main([*given, "--output", str(output)]) == 0
    asked = ["--checkpoint", str(output), "--data_dir", str(data_set), "--threads", "1"]
    asked += ["--report", str(tmp_path / "a.html")]
    assert evaluate.main(asked) == 2
    assert "All of all.ckpt were trained on a, b, c" in capsys.readouterr().err
    assert evaluate.main([*asked, "--patients", "b"]) == 0
    said = capsys.readouterr().out
    assert "! Model 'm' (all.ckpt) was trained on b: their scores say nothing about other" in said
    assert "b, trained on" in said
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["notes"][0] in (tmp_path / "a.html").read_text().replace("&#x27;", "'")
    assert all(one["trained_on"] for one in found["summaries"])
    assert evaluate.main([*asked, "--patients", "d"]) == 2
    assert "No usable contours of patient d" in capsys.readouterr().err


def test_a_patient_that_all_folds_left_out_counts_once(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = two_folds(data_set, tmp_path, "--exclude", "c", "--k_folds", "2")
    report = tmp_path / "folds.html"
    given = ["--checkpoint", *map(str, paths), "--data_dir", str(data_set), "--threads", "1"]
    assert evaluate.main([*given, "--report", str(report)]) == 0
    found = json.loads(report.with_suffix(".json").read_text())
    of = {(one["patient"], one["structure"]): one for one in found["summaries"]}
    assert [of[patient, "Inner"]["instances"] for patient in ("a", "b", "c")] == [6, 6, 6]
    assert [of[patient, "Inner"]["models"] for patient in ("a", "b", "c")] == [1, 1, 2]
    assert of["all", "Inner"]["instances"] == 18
    means = [of[patient, "Inner"]["mean_dice"] for patient in ("a", "b", "c")]
    assert of["all", "Inner"]["mean_dice"] == pytest.approx(sum(means) / 3)
    assert "! c: left out by several of these checkpoints" in capsys.readouterr().out


def test_a_patient_that_is_named_counts_for_the_fold_that_left_it_out(
    folds: list[Path], data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = folds
    [left_out] = {"a", "b", "c"} - set(load_checkpoint(paths[1])[0].training_patients)
    given = ["--checkpoint", *map(str, paths), "--data_dir", str(data_set), "--threads", "1"]
    given += ["--report", str(tmp_path / "a.html"), "--patients"]
    assert evaluate.main([*given, left_out]) == 0
    found = json.loads((tmp_path / "a.json").read_text())
    assert [one["measured_on"] for one in found["models"]] == [[], [left_out]]
    assert not any(one["trained_on"] for one in found["summaries"])
    trained = [set(load_checkpoint(path)[0].training_patients) for path in paths]
    [nobodys] = trained[0] & trained[1]
    assert evaluate.main([*given, nobodys]) == 2
    assert f"All of fold0.ckpt, fold1.ckpt were trained on {nobodys}" in capsys.readouterr().err
    assert evaluate.main(given[:-1]) == 0
    said = capsys.readouterr().out
    assert f"All of these checkpoints were trained on {nobodys}: not measured" in said


def test_what_a_model_was_trained_on_makes_no_mean_of_all_look_good() -> None:
    def measured(patient: str, dice: float, *, trained_on: bool = False) -> Measurement:
        values = (patient, "GTV", "m", dice, 2.0, 1.0, 100.0, 100.0)
        return Measurement(f"{patient}/1", *values, trained_on=trained_on)

    seen = measured("a", 1.0, trained_on=True)
    *_, together = summarise([seen, measured("b", 0.5), measured("c", 0.7)])
    assert (together.patient, together.instances, together.trained_on) == ("all", 2, False)
    assert together.mean_dice == pytest.approx(0.6)
    assert mean_dice([seen, measured("b", 0.5)]) == {"GTV": 0.5}
    assert mean_dice([seen]) == {"GTV": 1.0}


def test_a_measurement_of_several_models_has_its_share() -> None:
    def measured(model: str, dice: float, found_mm2: float) -> Measurement:
        distance = math.inf if dice == 0 else 2.0
        return Measurement("p/1", "p", "GTV", model, dice, distance, distance, 100.0, found_mm2)

    other = Measurement("p/2", "p", "GTV", "m", 0.8, 4.0, 4.0, 100.0, 100.0)
    [summary] = summarise([measured("m", 0.4, 50.0), measured("n", 0.0, 0.0), other])
    assert (summary.instances, summary.models, summary.lost) == (2, 2, 1)
    assert summary.mean_dice == pytest.approx((0.2 + 0.8) / 2)
    assert summary.least_dice == 0.0
    assert summary.volume_error == pytest.approx((25.0 + 100.0 - 200.0) / 200.0)


def test_one_structure_of_several_is_learned_and_measured(data_set: Path, tmp_path: Path) -> None:
    output = tmp_path / "outer.ckpt"
    given = ["--data_dir", str(data_set), *QUICK, "--max_steps", "2", "--output", str(output)]
    assert train.main([*given, "--output_channels", "1", "--structures", "Outer"]) == 0
    found = evaluation_of([output], open_data_set(data_set), ())
    assert {one.structure for one in found.measurements} == {"Outer"}
    entries = open_data_set(data_set).samples(found.models[0].patients)
    assert len(found.measurements) == sum(entry.known[1] for entry in entries)


def test_a_summary_says_what_was_lost_and_how_much_volume_is_wrong() -> None:
    numbers = count()

    def measured(dice: float, found_mm2: float) -> Measurement:
        distance = math.inf if dice == 0 else 2.0
        key = f"p/{next(numbers)}"
        return Measurement(key, "p", "Inner", "m", dice, distance, distance, 100.0, found_mm2)

    [summary] = summarise([measured(0.9, 110.0), measured(0.0, 0.0), measured(0.7, 130.0)])
    assert summary.lost == 1
    assert summary.mean_dice == pytest.approx(1.6 / 3)
    assert summary.mean_hausdorff_95_mm == 2.0
    assert summary.volume_error == pytest.approx(-0.2)


def test_a_structure_in_another_place_shows_beside_the_means(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = [
        Measurement(f"p/{n}", "p", "Ring", "m", 0.9, 3.0, 1.0, 100.0, 100.0) for n in range(199)
    ]
    miss = Measurement("p/miss", "p", "Ring", "m", 0.0, 143.0, 120.0, 100.0, 100.0)
    nothing = Measurement("p/none", "p", "Ring", "m", 0.0, math.inf, math.inf, 100.0, 0.0)
    [summary] = summarise([*good, miss, nothing])
    assert (summary.mean_hausdorff_95_mm, summary.mean_distance_mm) == (3.0, 1.0)
    assert (summary.largest_hausdorff_95_mm, summary.largest_distance_mm) == (143.0, 120.0)
    assert (summary.least_dice, summary.lost) == (0.0, 2)
    wide_console().print(table_of([summary], "Models"))
    said = capsys.readouterr().out
    shown = page("Models", [summary], [], Findings("m"))
    for cell in ("0.000", "143.0", "120.00"):
        assert cell in said
        assert f"<td>{cell}</td>" in shown
    [alone] = summarise([nothing])
    assert alone.largest_hausdorff_95_mm == math.inf


def test_images_on_which_nobody_drew_make_no_model_look_good() -> None:
    numbers = count()

    def measured(dice: float, hand_mm2: float, found_mm2: float) -> Measurement:
        distance = 0.0 if hand_mm2 == found_mm2 == 0 else math.inf
        key = f"p/{next(numbers)}"
        return Measurement(key, "p", "GTV", "m", dice, distance, distance, hand_mm2, found_mm2)

    empty = [measured(1.0, 0.0, 0.0) for _ in range(190)]
    missed = [measured(0.0, 100.0, 0.0) for _ in range(10)]
    invented = [measured(0.0, 0.0, 50.0)]
    [summary] = summarise([*empty, *missed, *invented])
    assert (summary.instances, summary.lost, summary.extra) == (11, 10, 1)
    assert summary.mean_dice == 0.0
    assert summary.mean_hausdorff_95_mm == math.inf
    assert mean_dice([*empty, *missed]) == {"GTV": 0.0}
    assert mean_dice(empty) == {}
    assert summarise(empty) == []


def test_the_mean_surface_distance_of_shifted_squares() -> None:
    first = np.zeros((30, 40), bool)
    first[5:15, 5:15] = True
    assert mean_surface_distance_mm(first, first, (2.0, 1.0)) == 0.0
    assert mean_surface_distance_mm(first, np.zeros_like(first), (1.0, 1.0)) == math.inf
    assert mean_surface_distance_mm(np.zeros_like(first), np.zeros_like(first), (1.0, 1.0)) == 0.0
    line, other = np.zeros_like(first), np.zeros_like(first)
    line[:, 10], other[:, 14] = True, True
    assert mean_surface_distance_mm(line, other, (2.0, 1.5)) == pytest.approx(6.0)
    assert hausdorff_95_mm(line, other, (2.0, 1.5)) == pytest.approx(6.0)
