"""Passwords: Argon2id hashes, and a limit on guesses."""

import secrets
import time
from collections import deque

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_WINDOW_S = 60.0
_MOST_KEYS = 10_000
_CLIENTS_A_NAME = 10
"""So many clients can fail for one name before nobody may try it; one alone cannot."""


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
    """Limit on passwords that fail within a minute, for each client and each name.

    A password is counted before it is checked, so that none is checked beyond the limit; it is
    taken back if it was right. Used in one thread, kept in memory.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counted: dict[str, deque[float]] = {}

    def wait_s(self, client: str, name: str) -> float:
        """Count one password; returns 0, or the seconds to wait if it must not be checked."""
        now = time.monotonic()
        self._forget(now)
        limits = self._limits(client, name)
        wait_s = max(self._wait_of(key, most, now) for key, most in limits.items())
        if wait_s <= 0:
            for key, most in limits.items():
                self._counted.setdefault(key, deque(maxlen=most)).append(now)
        return wait_s

    def take_back(self, client: str, name: str) -> None:
        """Take back the password that was counted last: it was right."""
        for key in self._limits(client, name):
            if self._counted.get(key):
                self._counted[key].pop()

    def _limits(self, client: str, name: str) -> dict[str, int]:
        return {f"client {client}": self._most, f"name {name}": self._most * _CLIENTS_A_NAME}

    def _forget(self, now: float) -> None:
        if len(self._counted) > _MOST_KEYS:
            self._counted = {
                key: times
                for key, times in self._counted.items()
                if times and now - times[-1] < _WINDOW_S
            }

    def _wait_of(self, key: str, most: int, now: float) -> float:
        times = self._counted.get(key)
        if times is None or len(times) < most:
            return 0.0
        return max(0.0, _WINDOW_S - (now - times[0]))
