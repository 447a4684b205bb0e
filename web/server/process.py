"""Supervision of the web process: started beside the SCP, started again when it dies.

This module imports none of the web's libraries, so the process that holds associations never loads
them. Receiving goes on whatever happens to the web process, also if it cannot start: a port that
is taken, a certificate or a file of users that cannot be read.
"""

import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace

import structlog

from core.child_process import module_command, module_environment
from core.config.settings import Configuration
from core.errors import ConfigurationError
from core.signals import signals_stay_here
from web.auth.admission import check_access
from web.server.handover import hand_over
from web.settings import WebSettings

_PROGRAM = "web.server.serve"
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_STOP_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.5
_UNREAD_WITHIN_MS = 60_000

log = structlog.get_logger("web")


class WebProcess:
    """Keeps one listening socket while the node runs, and a web process that answers on it."""

    def __init__(self, settings: WebSettings) -> None:
        """Listen; a failure is logged, and listening is tried again later."""
        self._settings = settings
        self._listener: socket.socket | None = None
        self.fault = ""
        """Why the socket does not listen; empty if it does."""
        self._listen()
        self._stopping = threading.Event()
        self._handing_over = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="web")

    @property
    def url(self) -> str:
        """The address of the pages; empty while the socket does not listen."""
        if self._listener is None:
            return ""
        scheme = "https" if self._settings.is_https else "http"
        ip, port = self._listener.getsockname()[:2]
        return f"{scheme}://{f'[{ip}]' if ':' in ip else ip}:{port}/"

    def tell_ports(self, port: int, tls_port: int = 0) -> None:
        """Tell the pages, before `start`, the ports that take associations; 0 for none."""
        self._settings = replace(self._settings, port=port, tls_port=tls_port)

    def start(self) -> None:
        """Start the web process and supervise it in a thread."""
        self._thread.start()

    def follow(self, configuration: Configuration) -> None:
        """Hand a changed configuration to the web process; open requests go on."""
        with self._handing_over:
            self._settings = replace(self._settings, configuration=configuration)
            if self._process is not None and self._process.stdin is not None:
                with suppress(OSError, ValueError):  # it ended; the next one starts with these
                    hand_over(self._settings, self._process.stdin)

    def stop(self) -> None:
        """End the web process; open streams are cut off."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._listener is not None:
            self._listener.close()

    def _listen(self) -> socket.socket | None:
        """The listening socket, or None; each new reason for a failure is logged once."""
        if self._listener is not None:
            return self._listener
        try:
            self._listener = _checked_listener(self._settings)
        except ConfigurationError as error:
            if str(error) != self.fault:
                log.error("no pages and no REST API; the node goes on", reason=str(error))
            self.fault = str(error)
            return None
        if self.fault:
            log.info("pages and REST API are there now", address=self.url)
        self.fault = ""
        return self._listener

    def _supervise(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            begun = time.monotonic()
            listener = self._listen()
            if listener is not None:
                code = self._run_once(listener)
                if self._stopping.is_set():
                    return
                if time.monotonic() - begun > _LONGEST_PAUSE_S:
                    pause_s = _FIRST_PAUSE_S
                log.error("web process ended", exit_code=code, starts_again_in_s=pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _run_once(self, listener: socket.socket) -> int | None:
        """Run one web process to its end; its exit code, None if it did not start."""
        try:
            process = self._start_one(listener.fileno())
        except OSError as error:
            log.error("web process not started", reason=error.strerror)
            return None
        while process.poll() is None and not self._stopping.wait(_LOOK_EVERY_S):
            pass
        return _end(process)

    def _start_one(self, socket_number: int) -> subprocess.Popen[bytes]:
        """Start a process with socket and settings; its standard input closes with this process."""
        with signals_stay_here():
            process = subprocess.Popen(  # noqa: S603, our own program
                module_command(_PROGRAM, str(socket_number)),
                stdin=subprocess.PIPE,
                pass_fds=(socket_number,),
                env=module_environment(),
            )
        with self._handing_over:
            self._process = process
            if process.stdin is not None:
                with suppress(BrokenPipeError):  # it died at once, which `poll` reports soon
                    hand_over(self._settings, process.stdin)
        return process


def _checked_listener(settings: WebSettings) -> socket.socket:
    """A listening socket; raises ConfigurationError for a wrong address, certificate or users."""
    configuration = settings.configuration
    check_access(settings)
    check_certificate(settings)
    return listen(configuration.web_ip, configuration.web_port)


def listen(ip: str, port: int) -> socket.socket:
    """Open a socket that listens on `ip` and `port`.

    Raises:
        ConfigurationError: the address is taken, or not of this machine.
    """
    try:
        found = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM)[0]
        family, kind, protocol, _, address = found
        listener = socket.socket(family, kind, protocol)  # unnamed, asyncio keeps Nagle's delay
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # connections inherit it: one that reads nothing of its answer is closed by the system
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_WITHIN_MS)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise ConfigurationError(
            f"--web_ip {ip} --web_port {port}: cannot listen there ({error.strerror})"
        ) from error
    return listener


def check_certificate(settings: WebSettings) -> None:
    """Check that certificate and key can be read and belong together.

    Raises:
        ConfigurationError: the certificate or the key is wrong.
    """
    web = settings.configuration.web
    if web.certificate_path is None or web.key_path is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(web.certificate_path, web.key_path)
    except OSError as error:  # ssl.SSLError is one, too
        raise ConfigurationError(
            f"web.certificate_path is {web.certificate_path}, expected a certificate in PEM that "
            f"web.key_path fits ({error.strerror or error})"
        ) from error


def _end(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.terminate()
    try:
        code = process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    return code
