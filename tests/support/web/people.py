"""Users of a site, and clients that are signed in as them."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from argon2 import PasswordHasher

from node.ledger.schema import events
from tests.support.web.serving import Site
from web.auth.user_file import OPERATOR, VIEWER, User, UserFile, with_token

PASSWORDS = {"ada": "difference engine", "ben": "only looks at it"}
TOKEN = "a-token-that-is-not-guessed"


def write_users(storage_path: Path) -> None:
    """Ada acts, Ben looks; Ada's script has a token."""
    storage_path.mkdir(parents=True, exist_ok=True)
    file = UserFile(storage_path / "users.json")
    file.write(with_token(User("ada", OPERATOR, _hash_of("ada")), TOKEN))
    file.write(User("ben", VIEWER, _hash_of("ben")))


@functools.cache
def _hash_of(name: str) -> str:
    """Verified with the costs that it says itself: the least, as each sign-in pays them."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORDS[name])


@contextmanager
def signed_in(site: Site, name: str) -> Iterator[httpx.Client]:
    """With the session's cookie and its CSRF token."""
    with site.client() as client:
        body = {"name": name, "password": PASSWORDS[name]}
        assert client.post("/api/login", json=body).status_code == 204
        client.headers["X-CSRF-Token"] = client.get("/api/me").json()["csrf_token"]
        yield client


def event_words(site: Site, kind: str) -> list[str]:
    """What the event log says, the latest first; read from the ledger."""
    with site.ledger.reading() as connection:
        query = events.select().where(events.c.kind == kind).order_by(events.c.id.desc())
        return [row.words for row in connection.execute(query)]
