"""An installation adds one name to Python and holds everything that the checkout's rooms hold."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "imaging", "network", "model", "pipeline", "simulator", "node", "web")
DOORS = ("scp_server.py", "scu_export.py", "tps_simulator.py")
SAMPLE = ROOT / "samples" / "sunnybrook"
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def files_of_rooms() -> set[Path]:
    """Every file of every room, from the root of the checkout."""
    found = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    return {path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts}


def named_as_data() -> set[Path]:
    """What package-data of pyproject.toml names, from the root of the checkout."""
    folders = {
        ROOT.joinpath(*package.split(".")[2:]): patterns
        for package, patterns in SETUP["package-data"].items()
    }
    return {
        path.relative_to(ROOT)
        for folder, patterns in folders.items()
        for pattern in patterns
        for path in folder.glob(pattern)
    }


def test_what_is_no_package_is_named_as_data() -> None:
    packages = {path.parent for path in files_of_rooms() if path.name == "__init__.py"}
    modules = {
        path for path in files_of_rooms() if path.suffix == ".py" and path.parent in packages
    }
    assert len(modules) > 300
    assert files_of_rooms() - modules - named_as_data() == set()


def test_configuration_and_the_sample_that_is_played_are_installed() -> None:
    dicom, contours = SAMPLE / "dicoms" / "SCD0000501", SAMPLE / "contourfiles" / "SC-HF-I-6"
    wanted = {ROOT / "config.yaml", SAMPLE / "SOURCE.md", *dicom.glob("*.dcm")}
    wanted |= set((contours / "i-contours").glob("*.txt"))
    assert len(wanted) == 46
    assert {path.relative_to(ROOT) for path in wanted} <= named_as_data()


@pytest.mark.slow
def test_a_wheel_has_one_name_and_every_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".*", "tests", "build", "*_output", "*.egg-info"),
    )
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*command, str(source)], check=True)
    wheel = ZipFile(next(tmp_path.glob("slicewire-*.whl")))
    names = {Path(name) for name in wheel.namelist()}
    assert {name.parts[0] for name in names} == {"slicewire", "slicewire-0.1.0.dist-info"}
    app = {name.relative_to("slicewire/app") for name in names if name.parts[1] == "app"}
    assert app == files_of_rooms() | named_as_data() | {Path(door) for door in DOORS}
