"""The node's command line: every flag told, every mistake in one sentence with exit code 2."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import scp_server
from core.config.file import read_configuration

ROOT = Path(__file__).parents[2]
FLAGS = [
    "scp_ip",
    "scp_port",
    "ae_title",
    "scu_ip",
    "scu_port",
    "scu_ae",
    "storage_path",
    "checkpoint_path",
    "root_uid",
    "export_series",
    "pipeline",
    "config",
    "web_ip",
    "web_port",
    "check",
]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--scp_prt", "3"], "--scp_prt: no such flag, expected --scp_port"),
        (["--scp-port", "many"], "--scp_port is 'many', expected a valid integer"),
        (["--pipeline", "vnet"], "pipeline: 'vnet', expected one of blur, unet"),
        (["--export_series", "maybe"], "--export_series is 'maybe', expected a valid boolean"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--storage_path", "/proc/nothing"], "--storage_path is /proc/nothing, expected a folder"),
        (["--scu_ip", "192.0.2.1"], "scu_ip and scu_port: both or neither"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scp_server.main(flags) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_help_and_documentation_tell_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        scp_server.main(["--help"])
    told, page = capsys.readouterr().out, (ROOT / "docs" / "commands.md").read_text()
    for name in FLAGS:
        assert f"--{name}" in told
        assert f"`--{name}`" in page


def test_the_shipped_configuration_is_valid_and_states_the_defaults() -> None:
    shipped = read_configuration(ROOT / "config.yaml", {})
    defaults = read_configuration(None, {})
    assert shipped.model_copy(update={"rules": (), "peers": ()}) == defaults
    assert [peer.name for peer in shipped.peers] == ["simulator"]
    assert [rule.pipeline for rule in shipped.rules] == ["blur", "unet"]


def test_a_port_that_is_taken_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        flags = ["--scp_port", str(port), "--storage_path", str(tmp_path / "storage")]
        flags += ["--web_port", "0"]
        assert scp_server.main(flags) == 2
    assert f"--scp_ip 127.0.0.1 --scp_port {port}: cannot listen there" in capsys.readouterr().err


def test_the_process_that_holds_associations_never_loads_torch() -> None:
    code = "import scp_server, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
