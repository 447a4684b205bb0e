"""DCMTK's storescu and storescp in place of the planning system, as docs/tutorial.md has it."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from tests.support.node_process import NodeProcess, wait_until
from tests.support.ports import free_port

pytestmark = pytest.mark.peer("storescu", "storescp", "echoscu")


@pytest.fixture
def received(tmp_path: Path) -> Path:
    """The folder that storescp writes to."""
    folder = tmp_path / "received"
    folder.mkdir()
    return folder


@pytest.fixture
def storescp_port(received: Path) -> Iterator[int]:
    """A DCMTK storage SCP that takes everything."""
    port = free_port()
    process = subprocess.Popen(
        ["/usr/bin/storescp", "--accept-all", "--output-directory", str(received), str(port)]
    )
    wait_until(lambda: echo("127.0.0.1", port) == 0)
    yield port
    process.terminate()
    process.wait()


@pytest.fixture
def node(storescp_port: int, tmp_path: Path) -> Iterator[NodeProcess]:
    """A node whose peer is storescp."""
    peer = {"name": "dcmtk", "ae_title": "STORESCU", "ip": "127.0.0.1", "port": storescp_port}
    rule = {"tags": {"Modality": "MR"}, "pipeline": "unet"}
    node = NodeProcess(tmp_path / "node", peers=[peer], rules=[rule]).start()
    yield node
    node.stop()


def echo(ip: str, port: int) -> int:
    command = ["/usr/bin/echoscu", "-to", "2", ip, str(port)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_storescu_sends_and_storescp_gets_contours_back(
    node: NodeProcess, received: Path, cine_paths: list[Path], tmp_path: Path
) -> None:
    ip, port = node.address
    (tmp_path / "sent").mkdir()
    assert echo(ip, port) == 0
    for path in cine_paths:
        (tmp_path / "sent" / path.name).write_bytes(path.read_bytes())
    command = ["/usr/bin/storescu", "-aec", "SLICEWIRE", "+sd", ip, str(port)]
    command.append(str(tmp_path / "sent"))
    assert subprocess.run(command, check=False).returncode == 0
    wait_until(lambda: len(list(received.iterdir())) == len(cine_paths) + 1)
    time.sleep(0.5)  # storescp has the name before the last bytes
    data_sets = [pydicom.dcmread(path, force=True) for path in received.iterdir()]
    structure_sets = [one for one in data_sets if one.Modality == "RTSTRUCT"]
    sent = {str(pydicom.dcmread(path).SOPInstanceUID) for path in cine_paths}
    assert {str(one.SOPInstanceUID) for one in data_sets} > sent
    assert [roi.ROIName for roi in structure_sets[0].StructureSetROISequence] == [
        "LV_Endocardium",
        "LV_Myocardium",
    ]
