"""`--check FILE`: what the rules would do with files and folders, without storing anything."""

import os
from pathlib import Path

import pydicom
import pytest
import yaml

import scp_server
from tests.support.samples import SAMPLES

MR_FOLDER = SAMPLES / "sunnybrook" / "dicoms" / "SCD0000101"
RULES = [
    {"called_ae_title": "BLUR", "pipeline": "blur", "destinations": ["tps"]},
    {"tags": {"Modality": "CT", "PatientID": "CLINIC*"}, "pipeline": "unet"},
    {"tags": {"Modality": "CT"}, "pipeline": "unet"},
]
TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"rules": RULES, "peers": [TPS], "storage_path": "storage"}))
    return path


def check(config: Path, *words: str | Path) -> int:
    return scp_server.main(["--config", str(config), "--check", *map(str, words)])


def test_the_rule_its_pipeline_geometry_and_destinations_are_told(
    config: Path, ct_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(config, ct_folder) == 0
    said = capsys.readouterr()
    assert "51 images, as if sent by ANY-SCU to SLICEWIRE" in said.out
    assert "rules.2 takes it, pipeline unet; geometry fits: 51 positions, 3.27 mm" in said.out
    assert check(config, ct_folder, "--called-ae-title", "BLUR") == 0
    assert "rules.0 takes it, pipeline blur" in (told := capsys.readouterr().out)
    assert "results go to tps" in told
    assert not (config.parent / "storage").exists()


def test_no_rule_tells_which_came_nearest_without_values_of_the_patient(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(config, MR_FOLDER) == 1
    said = capsys.readouterr()
    assert "WRONG  series 2.16.124" in said.out
    assert "no rule takes it, stored and not processed: rules.0 (blur) came nearest: " in said.out
    assert "called AE title is SLICEWIRE, not BLUR" in said.out
    assert "SCD0000101" not in said.out + said.err


def test_what_geometry_would_hold_is_told(
    config: Path, tmp_path: Path, ct_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = sorted(ct_folder.glob("*.dcm"), key=_height)
    assert check(config, *paths[:5], *paths[8:12], "--called-ae-title", "BLUR") == 1
    assert "rules.0 takes it, pipeline blur, held for its geometry: " in capsys.readouterr().out


def test_other_files_are_told_apart(
    config: Path, ct_structure_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(config, ct_structure_set) == 0
    assert "no image: stored, no rule is asked" in capsys.readouterr().out
    assert check(config, config, config.parent / "nowhere.dcm") == 1
    assert capsys.readouterr().out.count("WRONG  file ") == 2


def test_files_belong_to_a_check_alone(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scp_server.main(["--config", str(config), "a.dcm"]) == 2
    assert capsys.readouterr().err == "a.dcm: expected only with --check\n"


def _height(path: Path) -> float:
    return float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2])


def test_what_holds_no_files_is_told_and_nothing_is_waited_for(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.dcm")
    assert check(config, tmp_path / "empty") == 1
    assert "empty: expected files, found none" in capsys.readouterr().out
    assert check(config, tmp_path / "pipe.dcm") == 1
    assert "found a pipe or device" in capsys.readouterr().out
