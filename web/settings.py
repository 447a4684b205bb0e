"""What the web process is told by the door, as plain values that travel to it."""

from dataclasses import dataclass
from pathlib import Path

from core.config.settings import Configuration

_USERS_FILE = "users.json"
_SESSION_KEY_FILE = "web.key"


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The node's configuration, and where the node listens."""

    configuration: Configuration
    listener: tuple[str, int] = ("", 0)
    """Address and port of the SCP; empty when there is none."""

    @property
    def storage_path(self) -> Path:
        """The node's folder."""
        return self.configuration.storage_path

    @property
    def users_path(self) -> Path:
        """The file of names, roles and hashes."""
        return self.configuration.web.users_path or self.storage_path / _USERS_FILE

    @property
    def session_key_path(self) -> Path:
        """The file of the key that signs sessions."""
        return self.storage_path / _SESSION_KEY_FILE

    @property
    def is_https(self) -> bool:
        """Whether this process itself speaks HTTPS."""
        return self.configuration.web.certificate_path is not None
