"""A session that a person ended stays ended, and nothing that was open with it goes on."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.web.people import TOKEN, signed_in, write_users
from tests.support.web.serving import Site, serving, web_configuration
from web.auth.ended_sessions import EndedSessions
from web.auth.passwords import Passwords
from web.auth.user_file import OPERATOR, VIEWER, User, UserFile

STREAM = "/api/events/stream"
MOST_STREAMS = 3


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    write_users(tmp_path / "storage")
    web = {"limits": {"streams": MOST_STREAMS}}
    with serving(web_configuration(tmp_path / "storage", web=web)) as site:
        yield site


def test_an_ended_session_stays_ended_over_a_restart(tmp_path: Path) -> None:
    write_users(tmp_path / "storage")
    configuration = web_configuration(tmp_path / "storage")
    with serving(configuration) as site:
        with signed_in(site, "ada") as client:
            copied = dict(client.cookies)
            assert client.post("/api/logout").status_code == 204
        with signed_in(site, "ada") as client:
            open_one = dict(client.cookies)
    with serving(configuration) as site:
        with site.client(cookies=copied) as thief:
            assert thief.get("/api/cases").status_code == 401
        with site.client(cookies=open_one) as client:
            assert client.get("/api/cases").status_code == 200


def test_what_a_crash_cut_off_in_the_file_ends_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "sessions.ended"
    EndedSessions(path).add("first", 100.0)
    with path.open("a") as file:
        file.write("seco")
    EndedSessions(path).add("third", 200.0)
    ended = EndedSessions(path)
    assert [ended.has(key, 50.0) for key in ("first", "seco", "third")] == [True, False, True]


def test_none_of_very_many_ended_sessions_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.auth.ended_sessions._MOST", 100)
    path, begun = tmp_path / "sessions.ended", 1000.0
    ended = EndedSessions(path)
    for number in range(250):
        ended.add(f"key{number}", begun + number)
    assert len(path.read_text().splitlines()) <= 101
    for one in (ended, EndedSessions(path)):
        assert all(one.has(f"key{number}", begun + number) for number in range(250))
        assert not one.has("another", begun + 250)


def test_an_end_that_cannot_be_kept_is_told(guarded: Site) -> None:
    guarded.settings.ended_sessions_path.mkdir()
    with signed_in(guarded, "ada") as client:
        answer = client.post("/api/logout")
        assert answer.status_code == 503
        assert "The end of the session cannot be kept" in answer.json()["msg"]
        assert client.get("/api/cases").status_code == 401  # it is ended all the same


def sign_out(site: Site, client: httpx.Client) -> None:
    headers = {"X-CSRF-Token": client.headers["X-CSRF-Token"]}
    with site.client(cookies=dict(client.cookies), headers=headers) as other:
        assert other.post("/api/logout").status_code == 204


def remove_user(site: Site, _: httpx.Client) -> None:
    UserFile(site.settings.users_path).remove("ada")


def change_password(site: Site, _: httpx.Client) -> None:
    user = User("ada", OPERATOR, Passwords().hash("another password"))
    UserFile(site.settings.users_path).write(user)


def change_role(site: Site, _: httpx.Client) -> None:
    file = UserFile(site.settings.users_path)
    file.write(User("ada", VIEWER, file.users()["ada"].password_hash))


def lose_file(site: Site, _: httpx.Client) -> None:
    site.settings.users_path.unlink()


ENDS = [sign_out, remove_user, change_password, change_role, lose_file]


@pytest.mark.parametrize("end", ENDS)
def test_an_open_stream_ends_with_the_right_to_see_it(
    guarded: Site, end: Callable[[Site, httpx.Client], None]
) -> None:
    with signed_in(guarded, "ada") as client, client.stream("GET", STREAM) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        end(guarded, client)
        begun = time.monotonic()
        for _ in lines:
            assert time.monotonic() - begun < 60
        assert time.monotonic() - begun < 60


def test_a_removed_script_keeps_no_stream(guarded: Site) -> None:
    with (
        guarded.client(headers={"Authorization": f"Bearer {TOKEN}"}) as client,
        client.stream("GET", STREAM) as answer,
    ):
        lines = answer.iter_lines()
        next(lines)
        remove_user(guarded, client)
        assert len(list(lines)) < 20


def test_an_upload_of_a_user_who_was_removed_meanwhile_is_nothing(guarded: Site) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="job_name"\r\n\r\nblur\r\n'
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\nDICM'
        while not any((guarded.settings.storage_path / "uploads").glob("*/*")):
            time.sleep(0.02)
        remove_user(guarded, client)
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with signed_in(guarded, "ada") as client:
        answer = client.post("/api/uploads", content=body(), headers=headers)
    assert answer.status_code == 401
    assert list((guarded.settings.storage_path / "uploads").iterdir()) == []


def test_streams_that_open_at_once_do_not_exceed_their_limit(guarded: Site) -> None:
    with signed_in(guarded, "ben") as client, ExitStack() as opened:

        def open_one(_: int) -> int:
            answer = opened.enter_context(client.stream("GET", STREAM))
            together.wait(60)
            return answer.status_code

        together = threading.Barrier(12)
        with ThreadPoolExecutor(12) as pool:
            statuses = sorted(pool.map(open_one, range(12)))
    assert statuses == [200] * MOST_STREAMS + [503] * (12 - MOST_STREAMS)


def test_places_of_streams_come_back_when_nobody_listens_any_more(guarded: Site) -> None:
    with signed_in(guarded, "ben") as client:
        for _ in range(2 * MOST_STREAMS):
            with client.stream("GET", STREAM) as answer:
                assert answer.status_code == 200
            end = time.monotonic() + 60
            while guarded_streams(guarded) and time.monotonic() < end:
                time.sleep(0.02)
    assert guarded_streams(guarded) == 0


def guarded_streams(site: Site) -> int:
    return len(site.app.state.streams)
