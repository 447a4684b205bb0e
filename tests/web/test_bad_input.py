"""Whatever is sent: a clear 4xx as JSON, and nothing else."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from tests.support.web.serving import Site
from tests.web.working_node import working

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def site(shared_site: Site) -> Site:
    """Nothing here changes it."""
    return shared_site


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"job_name": ' + b"9" * 5000 + b"}",
        b'{"job_name": "\\ud800", "in_dir": "x"}',
    ],
)
def test_broken_json_is_4xx(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/job/", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"msg"}


def test_a_body_of_another_kind_is_no_json(client: httpx.Client) -> None:
    """A form of a foreign page can send text/plain without asking first."""
    body = b'{"job_name": "blur", "in_dir": "ct"}'
    answer = client.post("/job/", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 422


def test_a_huge_body_is_413_whether_it_says_so_or_not(client: httpx.Client) -> None:
    huge = b" " * 1_100_000
    assert client.post("/job/", content=huge, headers=JSON).status_code == 413
    chunked = client.post("/job/", content=iter([huge[:300_000]] * 5), headers=JSON)
    assert chunked.status_code == 413


@pytest.mark.parametrize("path", ["/../etc/passwd", "/static/../../etc/passwd", "/query/..%2f.."])
def test_paths_lead_nowhere_else(site: Site, path: str) -> None:
    """httpx would tidy the path, so it is written by hand."""
    where = urlsplit(site.url)
    assert where.port is not None
    with socket.create_connection(("127.0.0.1", where.port), timeout=60) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"root:" not in answer


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_unknown_methods_are_405(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/api/cases")
    assert (answer.status_code, answer.json()["msg"]) == (405, "Method Not Allowed")


def test_html_is_given_back_by_no_answer_as_html(client: httpx.Client) -> None:
    for path in ("/query/<script>alert(1)</script>", "/api/cases/<script>"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert "<script>" not in answer.text


@pytest.mark.slow
def test_schemathesis_finds_no_5xx(tmp_path: Path) -> None:
    import schemathesis  # noqa: PLC0415 - it takes seconds

    with working(tmp_path) as node:
        (node.root / "ct").mkdir()
        for operation in operations_of(schemathesis, node.site):
            for mode in schemathesis.GenerationMode:
                try:
                    probe(operation, mode)
                except Unsatisfiable:  # nothing wrong can be asked of it
                    assert mode is schemathesis.GenerationMode.NEGATIVE


def operations_of(schemathesis: Any, site: Site) -> list[Any]:
    document = httpx.get(f"{site.url}/openapi.json").json()
    document["paths"].pop("/api/events/stream")  # never ends
    document["paths"].pop("/health/ready")  # 503 is its answer, as no node runs here
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=site.url)
    results: list[Any] = list(schema.get_all_operations())
    return [result.ok() for result in results]


def probe(operation: Any, mode: Any) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=20, deadline=None, database=None, suppress_health_check=tuple(HealthCheck)
    )
    def ask(case: Any) -> None:
        answer = case.call()
        assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.text}"

    ask()
