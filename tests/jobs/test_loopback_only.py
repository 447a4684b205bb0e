"""Dask's ports are code execution for whoever may use them: nobody may but the node itself."""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from distributed import Client, Security

from core.config.sections import Engine as EngineSettings
from core.config.settings import Configuration
from node.exposures import open_engine
from node.jobs.cluster import OwnWorkers
from node.jobs.own_security import make_own_security
from node.jobs.slots import slots_of
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


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The node's own, of its own workers."""
    workers = OwnWorkers(slots_of(EngineSettings()), tmp_path_factory.mktemp("scratch"))
    yield workers.client
    workers.close()


def stranger_at(address: str, security: Security | None) -> None:
    """Another user of this machine, who tries to run code."""
    with Client(address, security=security, timeout=5, set_as_default=False) as client:
        client.submit(os.getpid).result(timeout=5)


@pytest.mark.usefixtures("client")
def test_the_nodes_own_workers_listen_on_loopback_only() -> None:
    assert listening(family(os.getpid())) == {"127.0.0.1"}


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_another_user_of_this_machine_runs_nothing(client: Client, scheme: str) -> None:
    address = client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    assert client.submit(os.getpid).result(timeout=60) != os.getpid()
    for one in (address, *client.scheduler_info()["workers"]):
        with pytest.raises(OSError):
            stranger_at(
                f"{scheme}://{one.partition('://')[2]}",
                make_own_security() if scheme == "tls" else None,
            )


def test_every_port_answers_nothing_without_the_key_of_this_start(client: Client) -> None:
    assert client.status == "running"
    for port in sorted(
        connection.laddr.port
        for process in family(os.getpid())
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with suppress(ConnectionResetError):
                assert stranger.recv(100)[:12] in (b"", b"HTTP/1.1 404")


def test_the_certificate_is_valid_whatever_the_clock_says() -> None:
    """A node runs for years, and starts before its machine's clock is set."""
    certificate = x509.load_pem_x509_certificate(str(make_own_security().tls_ca_file).encode())
    assert certificate.not_valid_before_utc.year <= 2000
    assert certificate.not_valid_after_utc.year == 9999


def test_a_scheduler_without_tls_is_told_with_the_way_out() -> None:
    keys = {"scheduler": "tcp://127.0.0.1:8786"}
    configuration = Configuration.model_validate({"engine": keys})
    assert "can run code through tcp://127.0.0.1:8786" in open_engine(configuration)
    assert open_engine(Configuration()) == ""


@pytest.mark.slow
def test_the_readmes_commands_listen_on_loopback_only() -> None:
    cluster = ExternalCluster(workers=1)
    try:
        processes = [cluster.scheduler, *cluster.workers]
        found = {name for one in processes for name in listening(family(one.pid))}
        assert found == {"127.0.0.1"}
    finally:
        cluster.stop()


def test_the_documentation_starts_dask_as_these_tests_do() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    commands = [line for line in page.splitlines() if "dask scheduler" in line]
    commands += [line for line in page.splitlines() if "dask worker" in line]
    assert len(commands) == 3
    for command in commands:
        for flag in ("--host 127.0.0.1", "--no-dashboard", "--dashboard-address 127.0.0.1:0"):
            assert flag in command
