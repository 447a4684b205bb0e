"""Signals end the node without words of a crash, whenever they come."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.node_process import ROOT, NodeProcess, wait_until
from tests.support.ports import free_port

DOORS = ([str(ROOT / "scp_server.py")], ["-m", "slicewire", "node"])


def start_loading(door: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """A node that has just begun to import what it needs, which takes more than a second."""
    flags = ["--storage_path", str(folder), "--scp_port", "0", "--web_port", "0"]
    command = [sys.executable, *door, *flags]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: has_begun(process.pid))
    return process


def has_begun(pid: int) -> bool:
    """True once SIGHUP does nothing and SIGINT ends it, whatever was inherited (nohup, `&`)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    ignored, caught = (
        int(line.split()[1], 16) for line in lines if line.startswith(("SigIgn", "SigCgt"))
    )
    hang_up, interrupt = (1 << number - 1 for number in (signal.SIGHUP, signal.SIGINT))
    return bool(ignored & hang_up) and not (ignored | caught) & interrupt


@pytest.mark.parametrize("door", DOORS, ids=["file", "verb"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_the_node_loads_is_silent(
    number: int, door: Sequence[str], tmp_path: Path
) -> None:
    process = start_loading(door, tmp_path)
    process.send_signal(number)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == -number


def test_sighup_does_not_end_a_node_that_loads(tmp_path: Path) -> None:
    process = start_loading(DOORS[0], tmp_path)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM


def test_ctrl_c_at_once_after_the_start_is_a_clean_stop_of_all_processes(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path, pipeline="blur")
    node.start("--web-port", str(free_port()), new_session=True)
    os.killpg(node.process.pid, signal.SIGINT)
    assert node.process.wait(60) == 0
    assert node.process.stdout is not None
    node.process.stdout.read()  # until every process that inherited it has ended
    node.process.stdout.close()
    assert "Traceback" not in node.errors.read_text()
    assert "error" not in node.logs()
    assert "stopped" in node.logs()


@pytest.mark.slow
def test_a_node_whose_output_nobody_reads_goes_on_and_stops(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    flags = ["--storage_path", str(tmp_path), "--web_port", "0", "--scp_port", "0"]
    with (tmp_path / "stderr").open("w") as errors:
        command = [sys.executable, str(ROOT / "scp_server.py"), *flags]
        node = subprocess.Popen(command, cwd=tmp_path, stdout=write_end, stderr=errors)
    os.close(write_end)
    wait_until(lambda: "started" in (tmp_path / "stderr").read_text())
    node.terminate()
    assert node.wait(60) == 0
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_pages_of_a_node_that_is_gone_already_end_without_words() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "web.server.serve", "0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
