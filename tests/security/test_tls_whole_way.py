"""Series in and results out by TLS only, between the node's command and the simulator's."""

from pathlib import Path

import pytest

import tps_simulator
from tests.node_process import NodeProcess, free_port
from tests.security.certificates import Authority

pytestmark = pytest.mark.slow


def test_contours_come_back_by_tls_with_certificates_on_both_sides(
    cine_folder: Path, tmp_path: Path
) -> None:
    authority, tls_port, port = Authority(tmp_path), free_port(), free_port()
    certificate, key = authority.sign("node")
    tls = {"certificate_path": str(certificate), "key_path": str(key)}
    tls |= {"ca_path": str(authority.ca_path)}
    peer = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": port, "tls": True}
    wire = {"plain": "closed", "tls": tls | {"port": tls_port}}
    node = NodeProcess(tmp_path / "node", peers=[peer], pipeline="unet", wire=wire).start()
    theirs, their_key = authority.sign("tps")
    flags = ["--tls_certificate", str(theirs), "--tls_key", str(their_key), "--listen_tls"]
    flags += ["--tls_ca", str(authority.ca_path), "--output", str(tmp_path / "out")]
    ports = ["--scp_port", str(tls_port), "--listen_port", str(port), "--timeout", "150"]
    try:
        assert tps_simulator.main([str(cine_folder), *flags, *ports]) == 0
    finally:
        node.stop()
