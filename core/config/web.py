"""Settings of the web process: users, hosts, certificate and limits."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from core.config.values import Positive, Section
from core.config.wire import Network


def is_loopback(host: str) -> bool:
    """True if `host` is a loopback address or `localhost`; other host names are not resolved."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class WebLimits(Section):
    """Limits of one HTTP request, and of all open ones together."""

    body_mb: Positive = 1.0
    """Body of a request other than an upload."""
    upload_mb: Positive = 4096.0
    upload_files: Annotated[int, Field(ge=1, le=100_000)] = 5000
    folder_files: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """Files in the folder of a requested job."""
    streams: Annotated[int, Field(ge=1, le=1000)] = 32
    """Streams of live updates open at once."""
    logins_a_minute: Annotated[int, Field(ge=1, le=1000)] = 5
    """Failed logins from one address, and for one user name."""


class Web(Section):
    """Pages and REST API; address and port are `web_ip` and `web_port`."""

    certificate_path: Path | None = None
    """PEM file with the whole chain; if given, the pages use HTTPS."""
    key_path: Path | None = None
    users_path: Path | None = None
    """Names, roles and password hashes; `users.json` in the storage path if not given."""
    hosts: tuple[str, ...] = ()
    """Host names accepted in requests, besides this machine's addresses and localhost."""
    plain_http: bool = False
    """True if a proxy in front does the HTTPS: passwords reach this process unencrypted."""
    proxies: tuple[Network, ...] = ()
    """Addresses of proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed; with
    `plain_http` and none given, a proxy on this machine."""
    in_dir_root: Path = Path()
    """Folder that contains all folders which requested jobs may name."""
    session_h: Positive = 12.0
    limits: WebLimits = WebLimits()

    @model_validator(mode="after")
    def _check(self) -> "Web":
        if (self.certificate_path is None) != (self.key_path is None):
            raise ValueError("web.certificate_path and web.key_path: both or neither")
        return self
