"""Wrong passwords are bounded for each client, and many sign-ins at once in what they take."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.web.people import PASSWORDS, event_words, write_users
from tests.support.web.serving import Site, serving, web_configuration
from web.auth.passwords import GuessLimit, Passwords

PROXY = {"proxies": ["127.0.0.1"]}


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Iterator[Site]:
    write_users(tmp_path / "storage")
    with serving(web_configuration(tmp_path / "storage", web=PROXY)) as site:
        yield site


def log_in(client: httpx.Client, name: str, password: str, forwarded: str = "") -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    body = {"name": name, "password": password}
    return client.post("/api/login", json=body, headers=headers).status_code


def test_one_client_cannot_lock_out_another(behind_proxy: Site) -> None:
    with behind_proxy.client() as client:
        tried = [log_in(client, "ada", "wrong", "192.0.2.66") for _ in range(12)]
        assert tried == [401] * 5 + [429] * 7
        assert log_in(client, "ada", PASSWORDS["ada"], "192.0.2.66") == 429
        assert log_in(client, "ada", PASSWORDS["ada"], "192.0.2.7") == 204
    told = event_words(behind_proxy, "wrong password")
    assert told == ["ada from 192.0.2.66"] * 5


def test_a_client_cannot_name_itself_another(behind_proxy: Site) -> None:
    """What is left of the proxy's own entry is the client's invention."""
    with behind_proxy.client() as client:
        tried = [
            log_in(client, "ada", "wrong", f"198.51.100.{number}, 192.0.2.66")
            for number in range(7)
        ]
        assert tried == [401] * 5 + [429] * 2


def test_a_network_of_ipv6_is_one_client(behind_proxy: Site) -> None:
    with behind_proxy.client() as client:
        tried = [log_in(client, "ada", "wrong", f"2001:db8::{number}") for number in range(1, 8)]
        assert tried == [401] * 5 + [429] * 2
        assert log_in(client, "ada", PASSWORDS["ada"], "2001:db8:0:1::1") == 204


def test_what_is_no_address_is_never_told(behind_proxy: Site) -> None:
    with behind_proxy.client() as client:
        assert log_in(client, "ada", "wrong", "DOE^JANE") == 401
    assert event_words(behind_proxy, "wrong password") == ["ada from unknown"]


def test_nobody_is_believed_who_is_no_configured_proxy(tmp_path: Path) -> None:
    write_users(tmp_path / "storage")
    web = {"proxies": ["192.0.2.0/24"]}
    with serving(web_configuration(tmp_path / "storage", web=web)) as site, site.client() as client:
        tried = [log_in(client, "ada", "wrong", f"198.51.100.{number}") for number in range(7)]
        assert tried == [401] * 5 + [429] * 2
        assert event_words(site, "wrong password") == ["ada from 127.0.0.1"] * 5


def test_right_passwords_are_not_counted(behind_proxy: Site) -> None:
    with behind_proxy.client() as client:
        assert {log_in(client, "ada", PASSWORDS["ada"], "192.0.2.7") for _ in range(8)} == {204}


def test_a_wrong_password_counts_before_it_is_checked(
    behind_proxy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty at once get no further than thirty one by one; few are hashed at the same time."""
    at_work, most, lock = [0], [0, 0], threading.Lock()
    verify = Passwords.verify

    def watched(self: Passwords, password_hash: str, password: str) -> bool:
        with lock:
            at_work[0] += 1
            most[0], most[1] = max(most[0], at_work[0]), most[1] + 1
        time.sleep(0.1)  # others come meanwhile
        try:
            return verify(self, password_hash, password)
        finally:
            with lock:
                at_work[0] -= 1

    monkeypatch.setattr(Passwords, "verify", watched)
    with behind_proxy.client() as client, ThreadPoolExecutor(30) as pool:
        tried = list(pool.map(lambda _: log_in(client, "ada", "wrong", "192.0.2.66"), range(30)))
        assert sorted(tried) == [401] * 5 + [429] * 25
        assert most == [1, 5]  # of one client one at a time
        clients = [f"192.0.2.{number}" for number in range(30)]
        tried = list(pool.map(lambda one: log_in(client, "ben", PASSWORDS["ben"], one), clients))
        assert tried == [204] * 30
        assert most == [2, 35]


def test_many_clients_that_fail_for_one_name_are_stopped_too() -> None:
    limit = GuessLimit(5)
    tried = [limit.wait_s(f"192.0.2.{number // 5}", "ada") for number in range(60)]
    assert [wait_s > 0 for wait_s in tried] == [False] * 50 + [True] * 10
    assert limit.wait_s("192.0.2.200", "ben") == 0


@pytest.mark.parametrize(
    ("web", "headers", "is_secure"),
    [
        ({"plain_http": True}, {}, True),
        (PROXY, {"X-Forwarded-Proto": "https"}, True),
        (PROXY, {"X-Forwarded-Proto": "http"}, False),
        ({}, {"X-Forwarded-Proto": "https"}, False),
    ],
)
def test_a_cookie_is_secure_behind_a_proxy_that_does_the_https(
    tmp_path: Path, web: dict[str, object], headers: dict[str, str], *, is_secure: bool
) -> None:
    write_users(tmp_path / "storage")
    with serving(web_configuration(tmp_path / "storage", web=web)) as site, site.client() as client:
        body = {"name": "ada", "password": PASSWORDS["ada"]}
        answer = client.post("/api/login", json=body, headers=headers)
        name, _, rest = answer.headers["set-cookie"].partition("=")
        assert ("Secure" in rest, name.startswith("__Host-")) == (is_secure, is_secure)
        cookie = {"Cookie": f"{name}={rest.partition(';')[0]}"}
        assert client.get("/api/cases", headers=headers | cookie).status_code == 200
