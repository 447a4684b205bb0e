"""`tps_simulator.py` alone plays the shipped sample against the node of the shipped config.yaml."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import tps_simulator
from core.config.file import read_configuration
from node.preflight import node_findings
from tests.support.node_process import NodeProcess
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


def shipped() -> dict[str, Any]:
    keys: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    return keys


def test_defaults_of_the_simulator_are_those_of_the_shipped_configuration() -> None:
    configuration = read_configuration(ROOT / "config.yaml", {})
    (peer,) = configuration.peers
    values = tps_simulator._parser("tps").parse_args([])
    assert (values.scp_ip, values.scp_port) == (configuration.scp_ip, configuration.scp_port)
    assert values.scp_ae == configuration.ae_title
    assert (values.ae_title, values.listen_ip, values.listen_port) == (
        peer.ae_title,
        peer.ip,
        peer.port,
    )


@pytest.mark.slow
def test_the_sample_is_played_and_passes(tmp_path: Path) -> None:
    keys = shipped()
    (peer,) = keys["peers"]
    results = free_port()
    pipelines = {"unet": {"kind": "unet"}} | keys["pipelines"]
    node = NodeProcess(
        tmp_path / "node",
        peers=[peer | {"port": results}],
        rules=keys["rules"],
        pipelines=pipelines,
    )
    node.start()
    try:
        flags = ["--scp_port", str(node.address[1]), "--listen_port", str(results)]
        played = subprocess.run(
            [sys.executable, str(ROOT / "tps_simulator.py"), *flags],
            cwd=tmp_path,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        node.stop()
    assert (played.returncode, played.stderr) == (0, ""), played.stdout
    report = json.loads((tmp_path / "tps_output" / "report.json").read_text())
    assert report["instances_received"] == {"structure sets": 1, "unchanged images": 22}
    assert [one["structure"] for one in report["structures"]] == ["LV_Endocardium"]
    assert report["structures"][0]["dice"] > 0.9


@pytest.mark.parametrize(("occasional", "is_wrong"), [(True, False), (False, True)])
def test_an_occasional_peer_that_is_away_is_not_wrong(
    tmp_path: Path, *, occasional: bool, is_wrong: bool
) -> None:
    peer = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": free_port()}
    keys = {"peers": [peer | {"occasional": occasional}], "storage_path": tmp_path}
    findings = node_findings(read_configuration(None, keys), try_port=False)
    ((words, wrong),) = [found[1:] for found in findings if found[0] == "peer tps"]
    assert bool(wrong) is is_wrong
    assert "connection refused" in (words + wrong)
