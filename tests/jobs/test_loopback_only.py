"""Dask's ports are code execution for whoever reaches them: nobody may from elsewhere."""

import os
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from core.config.sections import Engine as EngineSettings
from node.jobs.engine import Engine
from tests.jobs.queues import ENTRY
from tests.support.cluster import ExternalCluster


def listening(processes: Iterable[psutil.Process]) -> set[str]:
    """Addresses at which processes listen."""
    return {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def test_the_nodes_own_workers_listen_on_loopback_only(tmp_path: Path) -> None:
    engine = Engine(
        ENTRY,
        on_progress=lambda *_: None,
        scratch_folder=tmp_path,
        settings=EngineSettings(workers=1),
    )
    engine.open()
    try:
        assert listening(family(os.getpid())) == {"127.0.0.1"}
    finally:
        engine.close()


@pytest.mark.slow
def test_the_readmes_commands_listen_on_loopback_only() -> None:
    cluster = ExternalCluster(workers=1)
    try:
        processes = [cluster.scheduler, *cluster.workers]
        found = {name for one in processes for name in listening(family(one.pid))}
        assert found == {"127.0.0.1"}
    finally:
        cluster.stop()


def test_the_readme_starts_dask_as_these_tests_do() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    commands = [line for line in readme.splitlines() if "dask scheduler" in line]
    commands += [line for line in readme.splitlines() if "dask worker" in line]
    assert len(commands) == 3
    for command in commands:
        for flag in ("--host 127.0.0.1", "--no-dashboard", "--dashboard-address 127.0.0.1:0"):
            assert flag in command
