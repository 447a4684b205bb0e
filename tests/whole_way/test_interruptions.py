"""A stop, a crash, a peer that is away: what was acknowledged is finished all the same."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tps_simulator
from tests.support.node_process import (
    ROOT,
    NodeProcess,
    Sink,
    send,
    series_uid,
    wait_until,
)
from tests.support.peers import write_series
from tests.support.ports import free_port

SLOW_BLUR = {"pipelines": {"blur": {"sigma_mm": 60.0}}, "pipeline": "blur"}


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A peer for one test alone."""
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture
def long_ct(ct_folder: Path, tmp_path: Path) -> list[Path]:
    """The whole CT under new UIDs."""
    return write_series(sorted(ct_folder.glob("*.dcm")), tmp_path / "ct")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_was_running_is_finished_after_the_next_start(
    sink: Sink, long_ct: list[Path], tmp_path: Path, number: int
) -> None:
    keys = SLOW_BLUR | {"engine": {"stop_grace_s": 0.0}}
    node = NodeProcess(tmp_path / "node", scu_ip="127.0.0.1", scu_port=sink.port, **keys).start()
    send(node, long_ct)
    node.wait_for_state(series_uid(long_ct), "running")
    code = node.stop(number)
    assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert sink.released == 0
    node.start()
    assert len(sink.wait_for(1)) == len(long_ct)
    node.wait_for_state(series_uid(long_ct), "delivered")
    assert node.stop() == 0
    assert not list((node.storage_path / "results").glob("attempt-*"))


@pytest.mark.slow
def test_a_clean_stop_finishes_the_running_job(
    sink: Sink, long_ct: list[Path], tmp_path: Path
) -> None:
    node = NodeProcess(tmp_path / "node", scu_ip="127.0.0.1", scu_port=sink.port, **SLOW_BLUR)
    node.start()
    send(node, long_ct)
    node.wait_for_state(series_uid(long_ct), "running")
    assert node.stop(signal.SIGINT) == 0
    history = node.history(series_uid(long_ct))
    assert history is not None
    assert history.state in ("sending", "delivered")


@pytest.mark.slow
def test_results_reach_a_peer_that_was_away(new_ct: list[Path], tmp_path: Path) -> None:
    away = Sink()
    port = away.port
    away.close()
    node = NodeProcess(
        tmp_path / "node", scu_ip="127.0.0.1", scu_port=port, pipeline="blur"
    ).start()
    send(node, new_ct)
    history = node.wait_for_state(series_uid(new_ct), "sending")
    wait_until(lambda: "cannot be reached" in reason_of(node, new_ct))
    assert "to send" in history.reason
    back = Sink(port=port)
    assert len(back.wait_for(1)) == len(new_ct)
    node.wait_for_state(series_uid(new_ct), "delivered")
    node.stop()
    back.close()


def reason_of(node: NodeProcess, paths: list[Path]) -> str:
    history = node.history(series_uid(paths))
    return "" if history is None else history.reason


@pytest.mark.slow
def test_results_go_to_the_sender_that_is_a_peer_and_pass_its_checks(
    new_ct: list[Path], tmp_path: Path
) -> None:
    port = free_port()
    peer = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": port}
    node = NodeProcess(tmp_path / "node", peers=[peer], pipeline="blur").start()
    code = tps_simulator.main(
        ["--scp-port", str(node.address[1]), "--listen-port", str(port), "--expect", "series",
         "--settle", "0.3", "--output", str(tmp_path / "out"), str(new_ct[0].parent)]
    )  # fmt: skip
    node.stop()
    assert code == 0


def test_a_second_node_on_the_same_storage_is_refused(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "node", pipeline="blur").start()
    command = [sys.executable, "scp_server.py", "--scp_port", "0", "--web_port", "0"]
    command += ["--storage_path", str(node.storage_path)]
    second = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    node.stop()
    assert second.returncode == 2
    assert second.stderr.startswith(f"--storage_path is {node.storage_path}, which process ")


def test_no_log_holds_a_patients_name(new_ct: list[Path], tmp_path: Path) -> None:
    def name(data_set: object, _: int) -> None:
        data_set.PatientName = "Secretname^Of"  # type: ignore[attr-defined]  # a data set
        data_set.PatientID = "Secretname" * 9  # type: ignore[attr-defined]  # too long on purpose

    paths = write_series(new_ct, tmp_path / "named", name)
    node = NodeProcess(tmp_path / "node", pipeline="blur", log={"level": "debug"}).start()
    send(node, paths)
    node.wait_for_state(series_uid(paths), "done", "failed", "held")
    node.stop()
    logs = node.logs()
    assert series_uid(paths) in logs
    assert "Secretname" not in logs
