"""Sessions in signed cookies; only those that were ended early are kept, in a file."""

import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.errors import StorageUnavailableError
from web.auth.ended_sessions import EndedSessions
from web.auth.user_file import User

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A session: its own random key and the user's name."""

    key: str
    name: str
    stamp: str
    """Digest of the user's password hash: a new password ends the sessions of the old one."""


class Sessions:
    """Begins, reads and ends sessions."""

    def __init__(self, secret: bytes, lasts_s: float, ended: EndedSessions) -> None:
        self._secret = secret
        self._lasts_s = lasts_s
        self._ended = ended
        self._serializer = URLSafeTimedSerializer(secret, salt="slicewire.session")

    def begin(self, user: User) -> str:
        """Begin a session of `user`; returns the value of its cookie."""
        return str(self._serializer.dumps([secrets.token_hex(16), user.name, _stamp(user)]))

    def read(self, cookie: str) -> Session | None:
        """The session in a cookie; None if the cookie is forged, expired or ended."""
        try:
            (key, name, stamp), begun_at = self._serializer.loads(
                cookie, max_age=int(self._lasts_s), return_timestamp=True
            )
        except (BadSignature, ValueError, TypeError):
            return None
        if self._ended.has(str(key), begun_at.timestamp()):
            return None
        return Session(str(key), str(name), str(stamp))

    def is_valid_for(self, session: Session, user: User) -> bool:
        """True if the user's password is still the one that the session began with."""
        return hmac.compare_digest(session.stamp, _stamp(user))

    def end(self, session: Session) -> None:
        """End a session: its cookie is refused from now on, also after a restart.

        Raises:
            StorageUnavailableError: the end cannot be kept; it holds until a restart.
        """
        try:
            self._ended.add(session.key, time.time())
        except OSError as error:
            raise StorageUnavailableError(
                f"The end of the session cannot be kept: {error.strerror}"
            ) from error

    def csrf_token(self, key: str) -> str:
        """The token that forms of a session must carry, so that no other site can post them."""
        return hmac.new(self._secret, f"csrf {key}".encode(), hashlib.sha256).hexdigest()


def read_secret(path: Path) -> bytes:
    """The secret that signs sessions; made at the first start, readable by the node's user only.

    Raises:
        OSError: the file can be neither read nor written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        content = path.read_bytes()
        if len(content) >= _SECRET_BYTES:
            return content
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)  # cut off by a crash
    content = secrets.token_bytes(_SECRET_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return content


def _stamp(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
