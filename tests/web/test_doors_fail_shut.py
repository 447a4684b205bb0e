"""What lets others in needs users, and users that vanish let nobody in."""

import io
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError
from tests.support.web.people import TOKEN, write_users
from tests.support.web.serving import Site, serving, web_configuration
from web.auth.admission import check_access
from web.auth.user_file import UserFile
from web.server.app import create_app
from web.server.preflight import web_findings
from web.server.process import WebProcess
from web.settings import WebSettings
from web.users import main as users_command


def settings_with(tmp_path: Path, **web: Any) -> WebSettings:
    return WebSettings(web_configuration(tmp_path / "storage", web=web))


LETS_IN = [
    ({"hosts": ["slicewire.example.org"]}, "web.hosts: slicewire.example.org lets others in"),
    ({"plain_http": True}, "web.plain_http: a proxy lets others in"),
    ({"proxies": ["192.0.2.1"]}, "web.proxies: a proxy lets others in"),
    ({"users_path": "/nowhere/users.json"}, "web.users_path: there is no such file"),
]


@pytest.mark.parametrize(("web", "told"), LETS_IN)
def test_what_lets_others_in_without_users_is_wrong_at_start_and_check(
    tmp_path: Path, web: dict[str, Any], told: str
) -> None:
    settings = settings_with(tmp_path, **web)
    way_out = "add one with `slicewire users add NAME --role operator`"
    process = WebProcess(settings)
    process.stop()
    checked = {name: wrong for name, _, wrong in web_findings(settings, try_port=False)}
    for words in (process.fault, checked["web users"]):
        assert words.startswith(f"{told}: expected users in ")
        assert words.endswith(way_out)
    with pytest.raises(ConfigurationError, match="expected users"):
        create_app(settings)


@pytest.mark.parametrize("web", [web for web, _ in LETS_IN[:3]])
def test_with_users_it_is_right(tmp_path: Path, web: dict[str, Any]) -> None:
    write_users(tmp_path / "storage")
    assert check_access(settings_with(tmp_path, **web)) is True


@pytest.mark.parametrize(
    ("proxies", "told"),
    [([], "name it in web.proxies"), (["192.0.2.4"], "192.0.2.4/32 say who asks")],
)
def test_check_says_whose_word_on_clients_counts(
    tmp_path: Path, proxies: list[str], told: str
) -> None:
    web = {"plain_http": True, "proxies": proxies}
    settings = WebSettings(web_configuration(tmp_path / "storage", web_ip="0.0.0.0", web=web))
    found = {name: words for name, words, _ in web_findings(settings, try_port=False)}
    assert told in found["web proxies"]


def test_what_a_proxy_passes_on_is_nothing_without_users(shared_site: Site) -> None:
    """It says so in a header, of any kind."""
    with shared_site.client() as client:
        assert client.get("/api/cases").status_code == 200
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"):
            answer = client.get("/api/cases", headers={name: "192.0.2.7"})
            assert (answer.status_code, "a proxy passes this on" in answer.text) == (403, True)


def lose(settings: WebSettings, how: str) -> None:
    if how == "removed":
        settings.users_path.unlink()
    else:
        settings.users_path.write_text("[]")


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_users_that_vanish_shut_the_pages_now_and_after_a_restart(tmp_path: Path, how: str) -> None:
    write_users(tmp_path / "storage")
    with serving(web_configuration(tmp_path / "storage")) as site, site.client() as client:
        lose(site.settings, how)
        assert client.get("/api/cases").status_code == 401
    with pytest.raises(ConfigurationError, match="expected the users that were there") as raised:
        create_app(site.settings)
    assert "`slicewire users add NAME --role operator`" in str(raised.value)
    site.settings.users_seen_path.unlink()  # as the sentence says, on purpose
    assert check_access(site.settings) is False


def test_users_that_came_while_the_pages_were_open_shut_them_for_good(tmp_path: Path) -> None:
    with serving(web_configuration(tmp_path / "storage")) as site, site.client() as client:
        assert client.get("/api/cases").status_code == 200
        write_users(tmp_path / "storage")
        assert client.get("/api/cases").status_code == 401
        lose(site.settings, "removed")
        assert client.get("/api/cases").status_code == 401
    with pytest.raises(ConfigurationError, match="expected the users that were there"):
        check_access(site.settings)


def test_users_that_were_added_before_the_first_start_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ["--storage_path", str(tmp_path), "add", "script", "--role", "viewer"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert users_command(flags) == 0
    (tmp_path / "users.json").unlink()
    with pytest.raises(ConfigurationError, match="expected the users that were there"):
        check_access(WebSettings(web_configuration(tmp_path)))


def test_the_last_user_is_removed_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_users(tmp_path)
    flags = ["--storage_path", str(tmp_path), "remove"]
    assert users_command([*flags, "ben"]) == 0
    assert capsys.readouterr().out == ""
    assert users_command([*flags, "ada"]) == 0
    assert "nobody gets in" in capsys.readouterr().out
    assert UserFile(tmp_path / "users.json").users() == {}


def test_probes_need_no_sign_in_and_learn_no_words(tmp_path: Path) -> None:
    write_users(tmp_path / "storage")
    with serving(web_configuration(tmp_path / "storage")) as site, site.client() as client:
        assert client.get("/health/live").status_code == 200
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "reasons": ["node"]})
        signed = client.get("/health/ready", headers={"Authorization": f"Bearer {TOKEN}"})
        assert signed.json()["reasons"] == ["the node does not run"]
