"""What the project says of itself agrees with itself."""

import tomllib
from pathlib import Path

from core.identity import VERSION

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "imaging", "network", "model", "pipeline", "simulator", "node", "web", "slicewire")


def test_the_package_needs_what_requirements_name_with_the_same_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = (ROOT / "requirements.txt").read_text().splitlines()
    assert set(project["dependencies"]) <= set(required)
    assert project["dependencies"]


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_every_sample_folder_states_source_and_licence() -> None:
    for folder in (ROOT / "samples").iterdir():
        if folder.is_dir():
            text = (folder / "SOURCE.md").read_text()
            assert "Licence:" in text, folder
            assert "Source:" in text, folder


def test_samples_stay_below_25_megabytes() -> None:
    total = sum(path.stat().st_size for path in (ROOT / "samples").rglob("*") if path.is_file())
    assert total <= 25_000_000


def test_no_file_is_longer_than_300_lines() -> None:
    for folder in (*ROOMS, "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 300, path
