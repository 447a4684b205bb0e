"""The web process: who may look, from where, with which certificate and within which bounds."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from core.config.values import Positive, Section


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a host name other than localhost is not."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class WebLimits(Section):
    """Bounds of one request, and of all of them together."""

    body_mb: Positive = 1.0
    """Of a request that is no upload."""
    upload_mb: Positive = 4096.0
    upload_files: Annotated[int, Field(ge=1, le=100_000)] = 5000
    folder_files: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """In the folder of a job."""
    streams: Annotated[int, Field(ge=1, le=1000)] = 32
    """Open streams of live updates at once."""
    logins_a_minute: Annotated[int, Field(ge=1, le=1000)] = 5
    """Failed ones from one address, and for one name."""


class Web(Section):
    """Pages and REST API; address and port are `web_ip` and `web_port`."""

    certificate_path: Path | None = None
    """PEM, with the whole chain; HTTPS when given."""
    key_path: Path | None = None
    users_path: Path | None = None
    """Names, roles and hashes; `users.json` in the storage path when not given."""
    hosts: tuple[str, ...] = ()
    """Names by which browsers may call this machine, besides its addresses and localhost."""
    plain_http: bool = False
    """Whether passwords may cross the network unencrypted: a proxy in front does the HTTPS."""
    in_dir_root: Path = Path()
    """The folder below which jobs may name one."""
    session_h: Positive = 12.0
    limits: WebLimits = WebLimits()

    @model_validator(mode="after")
    def _check(self) -> "Web":
        if (self.certificate_path is None) != (self.key_path is None):
            raise ValueError("web.certificate_path and web.key_path: both or neither")
        return self
