"""A kind of pipeline is one file and one entry: with them alone, everything knows it."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from core.config.pipelines import KINDS
from tests.support.node_process import NodeProcess, Sink, send, series_uid
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).parent / "third_kind" / "bright.py"
LEVEL = b'{"level": 200}'
ENTRY = '        "blur": "pipeline.kinds.blur:KIND",\n'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it is, with one more file and one more entry."""
    house = tmp_path_factory.mktemp("house")
    for name in ("imaging", "model", "network", "node", "web"):
        (house / name).symlink_to(ROOT / name)
    for name in ("core", "pipeline"):
        shutil.copytree(ROOT / name, house / name)
    shutil.copy(ROOT / "scp_server.py", house)
    shutil.copy(FILE, house / "pipeline" / "kinds")
    registry = house / "core" / "config" / "pipelines.py"
    text = registry.read_text()
    assert text.count(ENTRY) == 1
    added = ENTRY + ENTRY.replace("blur", "bright")
    registry.write_text(text.replace(ENTRY, added))
    return house


@dataclass
class Running:
    """The node with the third kind, and the peer that gets its results."""

    node: NodeProcess
    sink: Sink
    url: str


@pytest.fixture(scope="module")
def running(house: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, sink, port = tmp_path_factory.mktemp("node"), Sink(), free_port()
    (folder / "level.json").write_bytes(LEVEL)
    bright = {"kind": "bright", "checkpoint_path": str(folder / "level.json")}
    node = NodeProcess(
        folder,
        peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": sink.port}],
        rules=[{"pipeline": "bones", "destinations": ["tps"]}],
        pipelines={"bones": bright, "unet": bright},  # the shipped model takes seconds to read
        export_series=False,
        engine={"scheduler": None},  # workers elsewhere have other code
    )
    node.root = house
    try:
        node.start("--web-port", str(port))
        yield Running(node, sink, f"http://127.0.0.1:{port}")
    finally:
        node.stop()
        sink.close()


def check(running: Running, folder: Path, **pipelines: dict[str, Any]) -> tuple[int, str]:
    """Exit code and words of `--check`, with more pipelines of the third kind."""
    keys = yaml.safe_load(running.node.config.read_text())
    model = keys["pipelines"]["bones"]
    keys["pipelines"] |= {name: model | given for name, given in pipelines.items()}
    keys |= {"storage_path": str(folder / "storage"), "scp_port": 0, "web_port": 0}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(keys))
    command = [sys.executable, str(running.node.root / "scp_server.py"), "--check"]
    done = subprocess.run(
        [*command, "--config", str(config)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_series_comes_back_with_what_the_third_kind_drew(
    running: Running, ct_folder: Path
) -> None:
    paths = sorted(ct_folder.glob("*.dcm"))[:3]
    send(running.node, paths)
    (structure_set,) = running.sink.wait_for(1)
    assert [roi.ROIName for roi in structure_set.StructureSetROISequence] == ["Bright"]
    images = structure_set.ROIContourSequence[0].ContourSequence
    assert {one.ContourImageSequence[0].ReferencedSOPInstanceUID for one in images}
    assert "Level 7" in structure_set.SeriesDescription
    history = running.node.wait_for_state(series_uid(paths), "delivered")
    told = " ".join(str(event) for event in history.events)
    assert "contours of Bright on 3 of 3 images" in told


def test_the_process_that_holds_associations_has_no_torch_loaded(running: Running) -> None:
    maps = Path(f"/proc/{running.node.process.pid}/maps").read_text()
    assert "python" in maps
    assert "libtorch" not in maps


def test_the_check_reads_its_models_and_judges_its_keys(running: Running, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("{}")
    broken = {"checkpoint_path": str(tmp_path / "none.json")}
    hearts = {"structures": {"Heart": {"name": "H"}}}
    code, words = check(running, tmp_path, hearts=hearts, broken=broken)
    digest = hashlib.sha256(LEVEL).hexdigest()[:12]
    assert f"ok     pipeline bones: Level 7, clinical, {digest}\n" in words
    assert "WRONG  pipeline hearts: structures: the model draws no Heart\n" in words
    assert "WRONG  pipeline broken: none.json: has no level\n" in words
    assert code == 1


def test_a_key_that_it_does_not_know_is_named(running: Running, tmp_path: Path) -> None:
    code, words = check(running, tmp_path, hearts={"level": 3})
    assert code == 2
    assert "unknown key pipelines.hearts.level" in words


def test_the_api_tells_of_its_model(running: Running) -> None:
    answer = httpx.get(f"{running.url}/api/models", timeout=120).json()
    (bones,) = [one for one in answer if one["name"] == "bones"]
    assert (bones["kind"], bones["fault"]) == ("bright", "")
    assert (bones["model"]["name"], bones["model"]["version"]) == ("Level", "7")
    assert bones["model"]["sha256"] == hashlib.sha256(LEVEL).hexdigest()


def test_the_page_of_models_shows_its_structures_and_settings(running: Running) -> None:
    answer = httpx.get(f"{running.url}/models", timeout=120)
    assert answer.status_code == 200
    section = answer.text.split(">bones ")[1].split("</section>")[0]
    assert "Level 7" in section
    assert "Bright" in section
    assert "generic, phases together" in section
    assert "works at" not in section


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_described_without_what_computes(name: str) -> None:
    code = (
        "import pkgutil, sys; from core.config.pipelines import KINDS\n"
        f"kind = pkgutil.resolve_name(KINDS[{name!r}])\n"
        "heavy = {'torch', 'h5py', 'scipy', 'onnxruntime'} & set(sys.modules)\n"
        f"sys.exit(f'{{kind.name}} {{heavy}}' if heavy or kind.name != {name!r} else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
