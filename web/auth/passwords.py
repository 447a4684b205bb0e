"""Passwords: Argon2id hashes, and a limit on guesses."""

import secrets
import threading
import time
from collections import deque

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_WINDOW_S = 60.0
_MOST_KEYS = 10_000


class Passwords:
    """Hashes and verifies passwords; an unknown name takes as long as a wrong password."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()  # RFC 9106, section 4: the second recommended option
        self._dummy_hash = self._hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        """The Argon2id hash of a password, for the file of users."""
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        """True if `password` has this hash; an empty hash matches none, in the same time."""
        try:
            self._hasher.verify(password_hash or self._dummy_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(password_hash)


class GuessLimit:
    """Limit on wrong passwords a minute for each address and name; kept in memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, *keys: str) -> float:
        """Seconds until the next password is checked; 0 if at once."""
        now = time.monotonic()
        with self._lock:
            return max((self._wait_of(key, now) for key in keys), default=0.0)

    def count(self, *keys: str) -> None:
        """Count a wrong password for each of `keys`."""
        now = time.monotonic()
        with self._lock:
            if len(self._failures) > _MOST_KEYS:
                self._failures = {
                    key: times
                    for key, times in self._failures.items()
                    if now - times[-1] < _WINDOW_S
                }
            for key in keys:
                self._failures.setdefault(key, deque(maxlen=self._most)).append(now)

    def _wait_of(self, key: str, now: float) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < self._most:
            return 0.0
        return max(0.0, _WINDOW_S - (now - times[0]))
