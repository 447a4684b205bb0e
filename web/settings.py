"""Settings of the web process, as plain values that the starting process hands over."""

from dataclasses import dataclass
from pathlib import Path

from core.config.file import ConfigurationFile
from core.config.settings import Configuration
from core.storage_layout import StorageLayout


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The node's configuration, and the address and port of its SCP."""

    configuration: Configuration
    listener: tuple[str, int] = ("", 0)
    """Address and port of the SCP; an empty address if there is none."""
    file: ConfigurationFile | None = None
    """Where the configuration was read from, to show what differs there since."""

    @property
    def storage_path(self) -> Path:
        """The node's storage folder."""
        return self.configuration.storage_path

    @property
    def users_path(self) -> Path:
        """The file of users: names, roles and hashes."""
        return self.configuration.web.users_path or StorageLayout(self.storage_path).users

    @property
    def session_key_path(self) -> Path:
        """The file of the key that signs sessions."""
        return StorageLayout(self.storage_path).session_key

    @property
    def is_https(self) -> bool:
        """True if the web process itself serves HTTPS."""
        return self.configuration.web.certificate_path is not None
