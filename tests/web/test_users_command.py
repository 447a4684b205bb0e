"""`python -m web.users`: add, change, token, remove."""

import io
from pathlib import Path

import pytest

from web.auth.passwords import Passwords
from web.auth.user_file import UserFile, hash_of_token
from web.users import main


def run(monkeypatch: pytest.MonkeyPatch, storage: Path, *words: str, typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return main(["--storage_path", str(storage), *words])


def test_a_user_is_added_with_a_hash_of_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = run(monkeypatch, tmp_path, "add", "ada", "--role", "operator", typed="long enough 1\n")
    ada = UserFile(tmp_path / "users.json").users()["ada"]
    assert (code, ada.role) == (0, "operator")
    assert Passwords().verify(ada.password_hash, "long enough 1")
    assert not Passwords().verify(ada.password_hash, "long enough 2")


def test_a_token_is_printed_once_and_replaces_the_others_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, tmp_path, "add", "script", "--role", "viewer", typed="\n")
    for _ in range(2):
        assert run(monkeypatch, tmp_path, "token", "script") == 0
    first, second = capsys.readouterr().out.split()
    file = UserFile(tmp_path / "users.json")
    assert file.users()["script"].token_hashes == (hash_of_token(first), hash_of_token(second))
    run(monkeypatch, tmp_path, "token", "script", "--only")
    assert len(file.users()["script"].token_hashes) == 1
    assert not Passwords().verify("", "")  # no password is no empty password


@pytest.mark.parametrize(
    ("words", "typed", "code", "told"),
    [
        (("add", "ada", "--role", "operator"), "short\n", 2, "expected 10 characters"),
        (("add", " ", "--role", "viewer"), "long enough 1\n", 2, "NAME: expected"),
        (("remove", "nobody"), "", 1, "there is no user of this name"),
        (("add", "ada", "--role", "king"), "", 2, "--role"),
    ],
)
def test_mistakes_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    words: tuple[str, ...],
    typed: str,
    code: int,
    told: str,
) -> None:
    assert run(monkeypatch, tmp_path, *words, typed=typed) == code
    assert told in capsys.readouterr().err


def test_removing_is_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = UserFile(tmp_path / "users.json")
    run(monkeypatch, tmp_path, "add", "ada", "--role", "operator", typed="long enough 1\n")
    assert "ada" in file.users()
    assert run(monkeypatch, tmp_path, "remove", "ada") == 0
    assert file.users() == {}
