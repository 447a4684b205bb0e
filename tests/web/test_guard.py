"""What every request passes: host, origin, size, headers."""

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


def test_an_unknown_method_is_405_as_json(client: httpx.Client) -> None:
    answer = client.request("DELETE", "/health/live")
    assert answer.status_code == 405
    assert answer.json()["msg"] == "Method Not Allowed"
