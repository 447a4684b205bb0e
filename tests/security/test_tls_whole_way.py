"""Series in and results out, plain and by TLS only, with the simulator."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import tps_simulator
from tests.security.certificates import Authority
from tests.support.node_process import NodeProcess
from tests.support.ports import free_port

pytestmark = pytest.mark.slow


class Plain:
    """What node and simulator are told where they speak without TLS."""

    def __init__(self, _: Path) -> None:
        self.wire: dict[str, Any] = {}
        self.peer: dict[str, Any] = {}
        self.flags: list[str] = []

    def port_of(self, node: NodeProcess) -> int:
        return node.address[1]


class ByTls(Plain):
    """With certificates on both sides, and no port without TLS."""

    def __init__(self, folder: Path) -> None:
        authority, self._port = Authority(folder), free_port()
        certificate, key = authority.sign("node")
        tls: dict[str, Any] = {"certificate_path": str(certificate), "key_path": str(key)}
        tls |= {"ca_path": str(authority.ca_path), "port": self._port}
        self.wire, self.peer = {"plain": "closed", "tls": tls}, {"tls": True}
        theirs, their_key = authority.sign("tps")
        self.flags = ["--tls_certificate", str(theirs), "--tls_key", str(their_key)]
        self.flags += ["--tls_ca", str(authority.ca_path), "--listen_tls"]

    def port_of(self, _: NodeProcess) -> int:
        return self._port


@pytest.mark.parametrize("transport", [Plain, ByTls])
def test_contours_come_back_to_the_simulator(
    cine_folder: Path, tmp_path: Path, transport: type[Plain]
) -> None:
    way, port = transport(tmp_path), free_port()
    (tmp_path / "series").mkdir()
    for name in ("89.dcm", "99.dcm", "109.dcm", "119.dcm"):  # two phases at two positions
        shutil.copy(cine_folder / name, tmp_path / "series")
    peer = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": port} | way.peer
    node = NodeProcess(tmp_path / "node", peers=[peer], pipeline="unet", wire=way.wire).start()
    ports = ["--scp_port", str(way.port_of(node)), "--listen_port", str(port), "--timeout", "150"]
    flags = [*way.flags, *ports, "--output", str(tmp_path / "out")]
    try:
        assert tps_simulator.main([str(tmp_path / "series"), *flags]) == 0
    finally:
        assert node.stop() == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["reason"] == (
        "4 instances sent; 1 structure set, 4 unchanged images came back, right in every check"
    )
