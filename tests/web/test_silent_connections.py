"""Connections that say nothing, or too slowly, end and keep nobody out."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from tests.support.web.serving import Site

HEAD_WITHIN_S = 0.6
BODY_WITHIN_S = 1.0
HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def hasty(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that waits for parts of a second where others wait for many."""
    monkeypatch.setattr("web.server.connections._HEAD_WITHIN_S", HEAD_WITHIN_S)
    monkeypatch.setattr("web.auth.guard._PART_OF_BODY_S", BODY_WITHIN_S)
    monkeypatch.setattr("web.auth.guard._WHOLE_BODY_S", BODY_WITHIN_S)
    return site


@contextmanager
def connected(site: Site) -> Iterator[socket.socket]:
    place = urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as opened:
        yield opened


def wait_for_end(connection: socket.socket, meanwhile: Callable[[], None] | None = None) -> bytes:
    """What came until the other side closed."""
    received, end = b"", time.monotonic() + 60
    connection.settimeout(0.1)
    while time.monotonic() < end:
        try:
            part = connection.recv(65536)
            if not part:
                return received
            received += part
        except TimeoutError:
            if meanwhile is not None:
                meanwhile()
        except ConnectionError:
            return received
    pytest.fail("the connection is still open")


def ask(connection: socket.socket) -> None:
    """A whole request, and the whole answer."""
    connection.sendall(HEAD + b"\r\n")
    answer = b""
    while not answer.endswith(b'{"status":"live"}'):
        part = connection.recv(65536)
        assert part, answer
        answer += part


def test_a_connection_without_a_request_ends(hasty: Site) -> None:
    with connected(hasty) as silent:
        assert wait_for_end(silent) == b""


def test_a_head_that_drips_ends(hasty: Site) -> None:
    with connected(hasty) as slow:
        slow.sendall(HEAD)
        assert wait_for_end(slow, lambda: slow.sendall(b"X-A: b\r\n")) == b""


def test_a_second_head_that_drips_ends(hasty: Site) -> None:
    with connected(hasty) as slow:
        ask(slow)
        time.sleep(2 * HEAD_WITHIN_S)  # a pause between requests is nothing bad
        ask(slow)
        slow.sendall(b"GET ")
        assert wait_for_end(slow, lambda: slow.sendall(b"x")) == b""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/login", "application/json"),
        ("/login", "application/x-www-form-urlencoded"),
        ("/job/", "application/json"),
    ],
)
def test_a_body_that_drips_is_refused(hasty: Site, path: str, kind: str) -> None:
    with connected(hasty) as slow:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n"
        slow.sendall(head.encode() + f"Content-Type: {kind}\r\n\r\n{{".encode())
        answer = wait_for_end(slow, lambda: slow.sendall(b" "))
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"the request did not arrive in time" in answer


def test_an_upload_may_take_long_but_not_be_silent(hasty: Site) -> None:
    head = b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    with connected(hasty) as slow:
        slow.sendall(
            head + b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
        )
        end = time.monotonic() + 2 * BODY_WITHIN_S
        while time.monotonic() < end:
            slow.sendall(b"x")
            time.sleep(0.1)
        assert any((hasty.settings.storage_path / "uploads").iterdir())
        assert wait_for_end(slow).startswith(b"HTTP/1.1 408")
    assert not any((hasty.settings.storage_path / "uploads").iterdir())


def test_live_updates_stay_open(hasty: Site) -> None:
    with hasty.client() as client, client.stream("GET", "/api/events/stream") as answer:
        lines = answer.iter_lines()
        next(lines)
        time.sleep(2 * max(HEAD_WITHIN_S, BODY_WITHIN_S))
        with hasty.ledger.writing() as connection:
            record_event(connection, EventKind.SIGNED_IN, "late", now=hasty.ledger.clock())
        assert any('"late"' in line for line in lines)


def test_of_too_many_silent_connections_the_oldest_end_and_others_are_served(site: Site) -> None:
    with ExitStack() as opened:
        silent = [opened.enter_context(connected(site)) for _ in range(300)]
        with site.client() as client:
            assert client.get("/health/live").status_code == 200
        assert wait_for_end(silent[0]) == b""
        silent[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            silent[-1].recv(1)
