"""Over TLS with the configured certificate: a real node, a person who signs in, a script."""

import signal
import ssl
from collections.abc import Iterator

import httpx
import pytest
import trustme

from tests.support.node_process import NodeProcess, wait_until
from tests.support.ports import free_port
from tests.support.web.people import PASSWORDS, TOKEN, write_users


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Where its pages are, and a context that trusts its certificate alone."""
    folder, authority = tmp_path_factory.mktemp("https"), trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = folder / "web.pem", folder / "web.key"
    certificate.private_key_pem.write_to_path(key)
    for part in certificate.cert_chain_pems:
        part.write_to_path(chain, append=True)
    node = NodeProcess(folder, web={"certificate_path": str(chain), "key_path": str(key)})
    write_users(node.storage_path)
    port = free_port()
    node.start("--web-port", str(port))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    url = f"https://127.0.0.1:{port}"
    wait_until(lambda: _answers(url, context))
    yield url, context
    node.stop(signal.SIGKILL)


def _answers(url: str, context: ssl.SSLContext) -> bool:
    try:
        return httpx.get(f"{url}/health/live", verify=context).status_code == 200
    except httpx.TransportError:
        return False


def test_a_person_signs_in_with_a_cookie_that_travels_over_https_alone(
    secured: tuple[str, ssl.SSLContext],
) -> None:
    url, context = secured
    with httpx.Client(base_url=url, verify=context) as client:
        form = {"name": "ada", "password": PASSWORDS["ada"]}
        answer = client.post("/login?next=/cases", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-slicewire=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        page = client.get("/cases")
        assert page.status_code == 200
        assert "ada <small>operator</small>" in page.text
        assert page.headers["strict-transport-security"] == "max-age=31536000"


def test_a_script_asks_with_its_token(secured: tuple[str, ssl.SSLContext]) -> None:
    url, context = secured
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=url, verify=context, headers=headers) as client:
        assert client.get("/api/cases").json() == {"items": [], "next": None}


def test_without_tls_nothing_is_answered(secured: tuple[str, ssl.SSLContext]) -> None:
    url, _ = secured
    with pytest.raises(httpx.TransportError):
        httpx.get(url.replace("https:", "http:") + "/health/live")


def test_an_old_version_of_tls_is_refused(secured: tuple[str, ssl.SSLContext]) -> None:
    url, _ = secured
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/health/live", verify=old)
