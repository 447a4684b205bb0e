"""The web process: uvicorn on the socket that the starting process opened, until SIGTERM.

Started by `web.server.process` as `python -m web.server.serve SOCKET`, with the settings on its
standard input.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog
import uvicorn
from fastapi import FastAPI

from core.errors import SlicewireError
from core.log import configure_logging
from core.storage_layout import StorageLayout
from node.completion.sources.orphaned_uploads import remove_orphaned_uploads
from web.server.app import create_app, follow
from web.server.connections import bounded_http
from web.server.handover import take_over
from web.settings import WebSettings

_NICE = 5
_CONNECTIONS = 512
_STOP_WITHIN_S = 2
_KEEP_ALIVE_S = 75  # longer than clients keep idle connections, so that the client closes first

log = structlog.get_logger("web")


def serve(settings: WebSettings, listener: socket.socket) -> None:
    """Answer on `listener` until SIGTERM, or until the starting process is gone.

    The process lowers its priority, so that the process that holds associations comes first.
    """
    _configure_logging(settings)
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the door's to handle
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # and so is a reload
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        app = create_app(settings)
        remove_orphaned_uploads(settings.storage_path, app.state.ledger)  # of one that died
        _stop_with_parent(stop, partial(follow, app))
        server = make_server(settings, app)
    except (SlicewireError, OSError) as error:
        log.error("web process cannot start", reason=str(error))
        raise SystemExit(1) from error
    os.nice(_NICE)  # not before: a start at low priority takes long on a busy machine
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    app.state.resources.prepare()
    while thread.is_alive() and not stop.wait(0.5):
        pass
    server.should_exit = True
    thread.join()
    if not stop.is_set():
        raise SystemExit(1)


def make_server(settings: WebSettings, app: FastAPI) -> uvicorn.Server:
    """Build the server of the application without starting it."""
    web = settings.configuration.web
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=bounded_http(),
            ssl_certfile=web.certificate_path,
            ssl_keyfile=web.key_path,
            access_log=False,  # query strings may contain what people searched for
            log_config=None,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_STOP_WITHIN_S,
        )
    )


def _configure_logging(settings: WebSettings) -> None:
    wanted = settings.configuration.log
    file = StorageLayout(settings.storage_path).web_log
    if wanted.file is not None:
        file = wanted.file.with_name(file.name)
    configure_logging(wanted.level, json_lines=wanted.json_lines, file=file)
    for name in ("uvicorn", "python_multipart", "alembic", "pylibjpeg", "h5py"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _stop_with_parent(stop: threading.Event, follow: Callable[[WebSettings], None]) -> None:
    """Set `stop` when the starting process is gone, so that the port does not stay taken.

    Until then, settings that it hands over are followed.
    """

    def watch() -> None:
        with suppress(OSError):
            while (settings := take_over(0)) is not None:
                follow(settings)
        stop.set()

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    handed_over = take_over(0)
    if handed_over is not None:
        serve(handed_over, socket.socket(fileno=int(sys.argv[1])))
