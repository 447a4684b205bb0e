"""Off this machine nothing without a name; roles, sessions, tokens, and who did what."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.config.file import read_configuration
from core.errors import ConfigurationError
from tests.support.web.people import PASSWORDS, TOKEN, event_words, signed_in, write_users
from tests.support.web.serving import Site, serving, web_configuration
from web.auth.passwords import Passwords
from web.auth.user_file import OPERATOR, User, UserFile, check_users
from web.settings import WebSettings

GUARDED = [
    "/api/cases",
    "/api/series",
    "/api/jobs",
    "/api/deliveries",
    "/api/peers",
    "/api/models",
    "/api/events",
    "/api/events/stream",
    "/api/me",
    "/api/docs",
    "/openapi.json",
    "/metrics",
    "/query/x",
    "/api/jobs/x/results.zip",
    "/api/commands/1",
]
JOB = {"job_name": "blur", "in_dir": "ct"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    write_users(tmp_path / "storage")
    configuration = web_configuration(
        tmp_path / "storage",
        peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}],
    )
    with serving(configuration) as site:
        yield site


def test_with_users_nothing_is_shown_to_who_is_not_signed_in(guarded: Site) -> None:
    with guarded.client() as client:
        answers = {path: client.get(path) for path in GUARDED}
    for path, answer in answers.items():
        assert (path, answer.status_code) == (path, 401)
        assert answer.json() == {"msg": "sign in first"}


def test_a_browser_is_led_to_the_login_page(guarded: Site) -> None:
    with guarded.client() as client:
        answer = client.get("/metrics", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/metrics")


def test_every_route_but_health_and_login_is_guarded(guarded: Site) -> None:
    with guarded.client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        paths = client.get("/openapi.json").json()["paths"]
    open_ones = []
    with guarded.client() as client:
        for path, item in paths.items():
            for method in item:
                concrete = path.replace("{verb}", "release").replace("{command}", "1")
                if client.request(method, concrete, json={}).status_code != 401:
                    open_ones.append(path)
    assert sorted(open_ones) == ["/api/login", "/health/live", "/health/ready"]


def test_elsewhere_than_on_this_machine_without_users_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="slicewire users add NAME"):
        check_users(tmp_path / "users.json", "0.0.0.0")
    assert check_users(tmp_path / "users.json", "127.0.0.1") is False


def test_passwords_do_not_cross_the_network_in_plain_text(tmp_path: Path) -> None:
    flags = {"storage_path": tmp_path, "web_ip": "0.0.0.0"}
    with pytest.raises(ConfigurationError, match=r"web\.certificate_path"):
        read_configuration(None, flags)
    read_configuration(None, flags | {"web": {"plain_http": True}})
    read_configuration(None, flags | {"web_port": 0})


def test_this_machine_alone_and_without_users_is_operator_as_local(client: httpx.Client) -> None:
    me = client.get("/api/me").json()
    assert (me["name"], me["role"]) == ("local", "operator")


def test_users_that_vanish_open_nothing(guarded: Site) -> None:
    guarded.settings.users_path.unlink()
    with guarded.client() as client:
        assert client.get("/api/cases").status_code == 401


def test_a_password_opens_a_session_that_only_http_may_read(guarded: Site) -> None:
    with guarded.client() as client:
        answer = client.post("/api/login", json={"name": "ada", "password": PASSWORDS["ada"]})
        cookie = answer.headers["set-cookie"]
        assert client.get("/api/cases").status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_session_that_was_ended_opens_nothing_for_who_copied_its_cookie(guarded: Site) -> None:
    with signed_in(guarded, "ada") as client:
        copied = dict(client.cookies)
        assert client.post("/api/logout").status_code == 204
    with guarded.client(cookies=copied) as thief:
        assert thief.get("/api/cases").status_code == 401


def test_another_password_and_a_removed_user_end_their_sessions(guarded: Site) -> None:
    users = UserFile(guarded.settings.users_path)
    with signed_in(guarded, "ben") as ben, signed_in(guarded, "ada") as ada:
        users.write(User("ada", OPERATOR, Passwords().hash(PASSWORDS["ada"])))  # with another salt
        assert ada.get("/api/cases").status_code == 401
        users.remove("ben")
        assert ben.get("/api/cases").status_code == 401


def test_a_forged_cookie_opens_nothing(guarded: Site) -> None:
    with guarded.client(cookies={"slicewire": "WyJhIiwiYWRhIiwiYiJd.x.y"}) as client:
        assert client.get("/api/cases").status_code == 401


def test_a_bearer_token_opens_for_scripts_and_is_kept_as_a_hash(guarded: Site) -> None:
    with guarded.client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get("/api/me").json()["name"] == "ada"
        assert client.post("/api/peers/tps/echo").status_code == 202
    with guarded.client(headers={"Authorization": f"Bearer {TOKEN}x"}) as client:
        assert client.get("/api/me").status_code == 401
    kept = guarded.settings.users_path.read_text()
    assert TOKEN not in kept
    assert "$argon2id$" in kept
    assert guarded.settings.users_path.stat().st_mode & 0o077 == 0


def test_a_viewer_looks_and_does_not_act(guarded: Site) -> None:
    with signed_in(guarded, "ben") as client:
        assert client.get("/api/cases").status_code == 200
        answer = client.post("/api/peers/tps/echo")
        assert client.post("/job/", json=JOB).status_code == 403
    assert answer.status_code == 403
    assert "ben may look, not act" in answer.json()["msg"]


def test_a_cookie_alone_changes_nothing_without_the_csrf_token(guarded: Site) -> None:
    with signed_in(guarded, "ada") as client:
        assert client.post("/api/peers/tps/echo").status_code == 202
        del client.headers["X-CSRF-Token"]
        assert client.post("/api/peers/tps/echo").status_code == 403
        assert client.post("/api/logout").status_code == 403


def test_a_post_from_a_page_of_another_site_is_refused(client: httpx.Client) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/job/", json=JOB, headers=headers).status_code == 403


def test_wrong_passwords_are_limited_by_address_and_told_in_the_log(guarded: Site) -> None:
    with guarded.client() as client:
        answers = [
            client.post("/api/login", json={"name": name, "password": "wrong"}).status_code
            for name in ("ada", "ada", "secret-typed-as-name", "x", "y", "z")
        ]
        right = client.post("/api/login", json={"name": "ada", "password": PASSWORDS["ada"]})
    assert answers == [401] * 5 + [429]
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    told = event_words(guarded, "wrong password")
    assert told[-1] == "ada from 127.0.0.1"
    assert not any("secret" in words for words in told)


def test_what_a_person_does_is_an_event_with_name_and_address(guarded: Site) -> None:
    with signed_in(guarded, "ada") as client:
        client.post("/api/logout")
    assert event_words(guarded, "signed in") == ["ada from 127.0.0.1"]
    assert event_words(guarded, "signed out") == ["ada from 127.0.0.1"]


def test_https_makes_the_cookie_secure(tmp_path: Path) -> None:
    configuration = web_configuration(
        tmp_path / "s", web={"certificate_path": "web.pem", "key_path": "web.key"}
    )
    assert WebSettings(configuration).is_https
