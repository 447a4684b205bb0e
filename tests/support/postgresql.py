"""A private PostgreSQL server: real, on loopback, gone at the end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.support.ports import free_port

_OWNER = "postgres"  # initdb refuses to run as root
_WITHIN_S = 60.0


def program(name: str) -> str | None:
    """Where a program of PostgreSQL's lies; Debian keeps them off the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(places[-1]) if places else shutil.which(name)


class PostgresServer:
    """A cluster in a temporary folder; commits are durable, as the node's should be."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="slicewire-pg-"))
        self._as_root = os.geteuid() == 0
        if self._as_root:
            shutil.chown(self._folder, _OWNER, _OWNER)
        self.port = free_port()
        self._run("initdb", "-D", self._data, "-U", _OWNER, "-A", "trust", "-E", "UTF8", "-N")
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [_found("postgres"), "-D", self._data, "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-k", str(self._folder)]
        command += ["-c", "max_connections=200"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, user=_OWNER if self._as_root else None
            )
        self._wait()

    def kill(self) -> None:
        """End it without a word, as a crash does; its children end by themselves."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        _wait_until_free(self.port)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend all of its processes: packets are confirmed, nothing is answered."""
        postmaster = psutil.Process(self._process.pid)
        postmaster.suspend()  # first, so that it starts no other
        children = postmaster.children(recursive=True)
        for one in children:
            one.suspend()
        try:
            yield
        finally:
            for one in (*children, postmaster):
                one.resume()

    def stop(self) -> None:
        """End it, and have everything removed that it had.

        Neither with a last checkpoint nor waited for: tens of thousands of files take longer than
        pytest-xdist lets a worker end.
        """
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_WITHIN_S)
        subprocess.Popen(["rm", "-rf", str(self._folder)], start_new_session=True)

    def url(self, database: str = "postgres") -> str:
        """Where a database is."""
        return f"postgresql://{_OWNER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new database; answers its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [_found(name), *arguments],
            check=True,
            capture_output=True,
            user=_OWNER if self._as_root else None,
            cwd=self._folder,
        )

    def _wait(self) -> None:
        end = time.monotonic() + _WITHIN_S
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return


def _found(name: str) -> str:
    path = program(name)
    assert path is not None, f"{name} is not installed"
    return path


def _wait_until_free(port: int) -> None:
    end = time.monotonic() + _WITHIN_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                time.sleep(0.1)
            else:
                return
