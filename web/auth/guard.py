"""ASGI middleware around every route: checks of requests, headers of answers, faults."""

import asyncio
import ipaddress
import math
from collections.abc import Iterable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import explain_fault
from web.answers import answer_to
from web.auth.access import SAFE_METHODS

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_HSTS = "max-age=31536000"
_UPLOADS = "/api/uploads"
_API, _HEALTH, _WITH_SLASH = "/api/", "/health/", ("/", "/job/")
_PART_OF_BODY_S = 30.0
_WHOLE_BODY_S = 60.0
"""For a request that is no upload."""

log = structlog.get_logger("web")


class Guard:
    """Checks host, origin and size, adds security headers, answers unforeseen faults with 500."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        body_bytes: int,
        upload_bytes: int,
        is_https: bool,
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts) | {"localhost"}
        self._body_bytes = body_bytes
        self._upload_bytes = upload_bytes
        self._is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request to the application, or answer it with a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _as_routed(scope)
        begun: list[bool] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(True)
                self._add_headers(message, scope)
            await send(message)

        refused = self._refusal(scope)
        if refused is None:
            refused = await self._let_through(scope, receive, answer)
        if refused is not None and not begun:
            await answer_to(Request(scope), *refused)(scope, receive, answer)

    async def _let_through(
        self, scope: Scope, receive: Receive, send: Send
    ) -> tuple[int, str] | None:
        """Send the route's answer; returns None, or status and reason of an unforeseen fault."""
        try:
            await self._app(scope, self._bounded(scope, receive), send)
        except Exception as error:  # noqa: BLE001, its own words may quote patient data
            fault = explain_fault(error)
            log.error("request failed", method=scope["method"], fault=fault)
            return 500, fault
        return None

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        is_probe = "host" not in headers and scope["path"].startswith(_HEALTH)
        if not is_probe and not self._is_known_host(headers.get("host", "")):
            return 400, "Host: expected an IP address, localhost or a name in web.hosts"
        if scope["method"] not in SAFE_METHODS and not _is_same_site(headers):
            return 403, "the request was posted by a page of another site"
        length, most = headers.get("content-length", "0"), self._most_bytes(scope)
        if not length.isdecimal():
            return 400, "Content-Length: expected a number"
        return (413, _too_large(most)) if int(length) > most else None

    def _is_known_host(self, host: str) -> bool:
        """Any IP address is accepted: a foreign DNS server can rebind names only."""
        name = _host_name(host)
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Read no more of a body, and wait for it no longer, than is allowed."""
        is_upload = scope["path"] == _UPLOADS
        whole_s = math.inf if is_upload else _WHOLE_BODY_S
        timed = _timed(receive, part_s=_PART_OF_BODY_S, whole_s=whole_s)
        return _counted(timed, self._most_bytes(scope))

    def _most_bytes(self, scope: Scope) -> int:
        return self._upload_bytes if scope["path"] == _UPLOADS else self._body_bytes

    def _add_headers(self, message: Message, scope: Scope) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if not scope["path"].startswith("/static/"):
            headers.setdefault("cache-control", "no-store")
        if self._is_https:
            headers.setdefault("strict-transport-security", _HSTS)


def _as_routed(scope: Scope) -> Scope:
    """A request as the routes have it: without a slash at its end, and GET in place of HEAD.

    A redirect to the path without the slash would name scheme and path as this server knows them,
    not as a proxy does. Of an answer to HEAD the server sends no body. The API has no HEAD, as its
    streams and downloads would begin.
    """
    path, method = scope["path"], scope["method"]
    if path.endswith("/") and path not in _WITH_SLASH:
        path = path.rstrip("/") or "/"
    if method == "HEAD" and not path.startswith(_API):
        method = "GET"
    return {**scope, "path": path, "method": method}


def _counted(receive: Receive, most: int) -> Receive:
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted


def _timed(receive: Receive, *, part_s: float, whole_s: float) -> Receive:
    """Wait for each part of a body, and for all of it, no longer than that."""
    loop = asyncio.get_running_loop()
    end, is_whole = loop.time() + whole_s, False

    async def timed() -> Message:
        nonlocal is_whole
        if is_whole:  # what follows is the end of the connection, for which streams wait
            return await receive()
        try:
            async with asyncio.timeout_at(min(end, loop.time() + part_s)):
                message = await receive()
        except TimeoutError as error:
            words = "the request did not arrive in time"
            raise HTTPException(408, words, {"Connection": "close"}) from error
        is_whole = not message.get("more_body", False)
        return message

    return timed


def _is_same_site(headers: Headers) -> bool:
    """False if a browser says that a page of another site posts; programs send no such header."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0][1:].lower()
    return host.partition(":")[0].lower()


def _too_large(most: int) -> str:
    return f"the request is larger than {most} bytes"
