"""One node process for many series, each with UIDs of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.node_process import NodeProcess, Sink
from tests.support.peers import write_series


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """Where the node's results go when the sender is no peer."""
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(scope="module")
def node(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node with rules: BLUR is blurred, BROKEN fails, other MR is drawn on, for SEG twice."""
    folder = tmp_path_factory.mktemp("node")
    broken = folder / "broken.ckpt"
    broken.write_bytes(b"no checkpoint")
    node = NodeProcess(
        folder,
        scu_ip="127.0.0.1",
        scu_port=sink.port,
        pipelines={
            "broken": {"kind": "unet", "checkpoint_path": str(broken)},
            "masked": {"kind": "unet", "segmentation": True},
        },
        rules=[
            {"called_ae_title": "BLUR", "pipeline": "blur"},
            {"called_ae_title": "BROKEN", "pipeline": "broken"},
            {"called_ae_title": "SEG", "pipeline": "masked"},
            {"tags": {"Modality": "MR"}, "pipeline": "unet"},
        ],
    )
    node.start()
    yield node
    assert node.stop() == 0


@pytest.fixture
def cine_paths(cine_folder: Path) -> list[Path]:
    """Two phases at each of two neighbouring positions."""
    return [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]


@pytest.fixture
def new_cine(cine_paths: list[Path], tmp_path: Path) -> list[Path]:
    """The same images under new UIDs, so that they are a case of their own."""
    return write_series(cine_paths, tmp_path / "cine")


@pytest.fixture
def new_ct(ct_folder: Path, tmp_path: Path) -> list[Path]:
    """Six slices of the CT under new UIDs."""
    return write_series(sorted(ct_folder.glob("*.dcm"))[:6], tmp_path / "ct")
