"""What every request passes: host, origin, size, headers."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.web.serving import Site


@pytest.fixture(scope="module")
def site(shared_site: Site) -> Site:
    """Nothing here changes it."""
    return shared_site


def test_every_answer_carries_the_security_headers(client: httpx.Client) -> None:
    answer = client.get("/health/live")
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_a_foreign_host_name_is_refused_against_dns_rebinding(client: httpx.Client) -> None:
    answer = client.get("/health/live", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "Host" in answer.json()["msg"]


@pytest.mark.parametrize("path", ["/health/live", "/", "/static/base.css"])
def test_a_probe_by_head_is_answered_as_get_without_a_body(client: httpx.Client, path: str) -> None:
    got, asked = client.get(path), client.head(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"") == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]


def test_head_of_the_api_begins_no_stream(client: httpx.Client) -> None:
    assert client.head("/api/events/stream").status_code == 405


@pytest.mark.parametrize("path", ["/health/live/", "/health/live//", "/cases/", "/api/cases/"])
def test_a_slash_at_the_end_of_a_path_is_no_redirect(client: httpx.Client, path: str) -> None:
    with_slash, without = client.get(path), client.get(path.rstrip("/"))
    assert (with_slash.status_code, without.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /health/live HTTP/1.0", 200),
        ("HEAD /health/live HTTP/1.0", 200),
        ("GET /health/ready HTTP/1.0", 503),
        ("GET /api/cases HTTP/1.0", 400),
    ],
)
def test_a_probe_without_a_host_learns_the_health_alone(
    site: Site, request_line: str, status: int
) -> None:
    """As load balancers send it; browsers, which can be led astray, always send a host."""
    place = urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(f"{request_line}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_an_unknown_method_is_405_as_json(client: httpx.Client) -> None:
    answer = client.request("DELETE", "/health/live")
    assert answer.status_code == 405
    assert answer.json()["msg"] == "Method Not Allowed"
