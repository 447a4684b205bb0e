"""Settings of the web process, as plain values that the starting process hands over."""

from dataclasses import dataclass
from pathlib import Path

from core.config.file import ConfigurationFile
from core.config.settings import Configuration
from core.storage_layout import StorageLayout

THIS_MACHINE = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The node's configuration, where it was read from, and the ports that it listens on."""

    configuration: Configuration
    port: int = 0
    """The port that takes associations without TLS; 0 for the configured one."""
    tls_port: int = 0
    """The port that takes associations with TLS; 0 for the configured one."""
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
    def users_seen_path(self) -> Path:
        """The file that exists since the pages had users for the first time."""
        return StorageLayout(self.storage_path).users_seen()

    @property
    def ended_sessions_path(self) -> Path:
        """The file of sessions that were ended before their time."""
        return StorageLayout(self.storage_path).ended_sessions()

    @property
    def is_https(self) -> bool:
        """True if the web process itself serves HTTPS."""
        return self.configuration.web.certificate_path is not None

    @property
    def is_behind_https(self) -> bool:
        """True if browsers reach the pages by HTTPS, of the web process or of a proxy in front."""
        return self.is_https or self.configuration.web.plain_http

    @property
    def proxies(self) -> tuple[str, ...]:
        """Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed."""
        web = self.configuration.web
        return web.proxies or (THIS_MACHINE if web.plain_http else ())
