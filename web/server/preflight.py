"""Checks of `--check` for pages and REST API: users, certificate, folder, address."""

from collections.abc import Callable, Iterator

from core.config.web import is_loopback
from core.errors import ConfigurationError
from web.auth.admission import check_access
from web.auth.user_file import UserFile
from web.server.process import check_certificate, listen
from web.settings import WebSettings


def web_findings(settings: WebSettings, *, try_port: bool) -> Iterator[tuple[str, str, str]]:
    """Yield for each part its name, its state in words, and what is wrong (empty if nothing is)."""
    configuration = settings.configuration
    if not configuration.web_port:
        yield "web", "none, --web_port is 0", ""
        return
    ip, port = configuration.web_ip, configuration.web_port
    yield _finding("web users", _people(settings), lambda: check_access(settings))
    if configuration.web.plain_http or configuration.web.proxies:
        yield "web proxies", _proxies(settings), ""
    certificate = configuration.web.certificate_path
    words = f"HTTPS with {certificate}" if certificate else "HTTP, no certificate"
    yield _finding("web certificate", words, lambda: check_certificate(settings))
    root = configuration.web.in_dir_root
    wrong = "" if root.is_dir() else f"web.in_dir_root is {root}, expected a folder"
    yield "web in_dir_root", str(root.absolute()), wrong
    if try_port:
        yield _finding("web port", f"{ip}:{port} is free", lambda: listen(ip, port).close())


def _proxies(settings: WebSettings) -> str:
    words = f"{', '.join(settings.proxies)} say who asks (X-Forwarded-For)"
    configuration = settings.configuration
    if configuration.web.proxies or is_loopback(configuration.web_ip):
        return words
    return f"{words}; all who come through a proxy elsewhere count as one: name it in web.proxies"


def _people(settings: WebSettings) -> str:
    try:
        count = len(UserFile(settings.users_path).users())
    except ConfigurationError:
        return ""
    return f"{count} in {settings.users_path}" if count else "none: this machine alone may look"


def _finding(name: str, words: str, check: Callable[[], object]) -> tuple[str, str, str]:
    try:
        check()
    except ConfigurationError as error:
        return name, words, str(error)
    return name, words, ""
