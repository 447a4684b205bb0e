"""A real web server on a free port, over a real ledger."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from core.config.file import ConfigurationFile, read_configuration
from core.config.settings import Configuration
from node.ledger.database import Ledger
from tests.support.databases import database_url_for
from web.server.app import create_app
from web.server.serve import make_server
from web.settings import WebSettings


@dataclass
class Site:
    """Where it answers, and what it reads."""

    url: str
    settings: WebSettings
    ledger: Ledger
    app: FastAPI

    def client(self, **options: Any) -> httpx.Client:
        """Without certificates, which take 50 ms to load."""
        return httpx.Client(base_url=self.url, timeout=120, verify=False, **options)


def web_configuration(storage_path: Path, **keys: Any) -> Configuration:
    storage_path.mkdir(parents=True, exist_ok=True)
    flags = {"storage_path": storage_path, "database_url": database_url_for(storage_path)} | keys
    return read_configuration(None, {name: one for name, one in flags.items() if one is not None})


@contextmanager
def serving(configuration: Configuration, file: ConfigurationFile | None = None) -> Iterator[Site]:
    settings = WebSettings(configuration, file=file)
    app = create_app(settings)
    server = make_server(settings, app)
    server.config.timeout_graceful_shutdown = 1
    # with its protocol named, or asyncio leaves Nagle's delay of 40 ms in every answer
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            port = listener.getsockname()[1]
            yield Site(f"http://127.0.0.1:{port}", settings, app.state.ledger, app)
        finally:
            server.should_exit = True
            thread.join()
