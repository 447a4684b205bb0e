"""The file of users: names, roles, Argon2 hashes of passwords, SHA-256 of bearer tokens.

A token is 256 random bits, which nobody can guess, so a fast hash is enough (NIST SP 800-63B,
section 5.1.2.2). A password can be guessed and is hashed with Argon2id (RFC 9106).
"""

import hashlib
import json
import os
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.config.web import is_loopback
from core.durable import sync_folder
from core.errors import ConfigurationError

VIEWER, OPERATOR = "viewer", "operator"
ROLES = (VIEWER, OPERATOR)


@dataclass(frozen=True, slots=True)
class User:
    """A user of pages and REST API: a person or a script."""

    name: str
    role: str
    password_hash: str = ""
    """Argon2id; empty if the user cannot sign in with a password."""
    token_hashes: tuple[str, ...] = ()


class UserFile:
    """The users in a file: read again whenever it changed, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._users: dict[str, User] = {}

    def users(self) -> dict[str, User]:
        """All users by name; empty if there is no file.

        Raises:
            ConfigurationError: the file cannot be read, or is not a file of users.
        """
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._users = _parsed(self._path.read_text(encoding="utf-8"))
                self._stamp = stamp
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ConfigurationError(
                f"{self._path}: expected a file of `slicewire users` ({type(error).__name__})"
            ) from error
        return self._users

    def write(self, user: User) -> None:
        """Add or change a user."""
        self._replace({**self.users(), user.name: user})

    def remove(self, name: str) -> bool:
        """Remove a user; returns False if there was none of this name."""
        users = dict(self.users())
        gone = users.pop(name, None)
        if gone is not None:
            self._replace(users)
        return gone is not None

    def _replace(self, users: dict[str, User]) -> None:
        content = json.dumps([asdict(one) for one in users.values()], indent=1)
        temporary = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        sync_folder(self._path.parent)


def check_users(path: Path, web_ip: str) -> bool:
    """True if the file has users.

    Raises:
        ConfigurationError: there are no users, and the pages would be open to the network.
    """
    users = UserFile(path).users()
    if not users and not is_loopback(web_ip):
        raise ConfigurationError(
            f"--web_ip {web_ip}: expected users in {path}, found none: add one with "
            "`slicewire users add NAME --role operator`"
        )
    return bool(users)


def hash_of_token(token: str) -> str:
    """The SHA-256 of a bearer token, for the file of users."""
    return hashlib.sha256(token.encode()).hexdigest()


def with_token(user: User, token: str) -> User:
    """The same user with one more token."""
    return replace(user, token_hashes=(*user.token_hashes, hash_of_token(token)))


def _parsed(text: str) -> dict[str, User]:
    users = [
        User(**(fields | {"token_hashes": tuple(fields.get("token_hashes", ()))}))
        for fields in json.loads(text)
    ]
    if any(one.role not in ROLES for one in users):
        raise ValueError("role")
    return {one.name: one for one in users}
