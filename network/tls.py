"""TLS contexts that follow BCP 195 (RFC 9325; PS3.15 Annex B): 1.2 with ECDHE and AEAD, or 1.3."""

import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.config.wire import ServerTls, TlsVersion
from core.errors import ConfigurationError, SendError

# RFC 9325 section 4.2; the suites of TLS 1.3 are set apart, and all of them are recommended
_TLS_12_SUITES = ":".join(
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
    )
)
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

log = structlog.get_logger("tls")


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Settings for TLS connections to a peer."""

    name: str
    """Host name or IP address that the peer's certificate must be issued for."""
    ca_path: Path | None = None
    """PEM file of trusted authorities; None: those of the system."""
    certificate_path: Path | None = None
    key_path: Path | None = None
    """PEM files of the certificate that is presented to the peer on request, and of its key."""
    minimum_version: TlsVersion = "1.2"

    def context(self) -> ssl.SSLContext:
        """Make a context from the files as they are now.

        Raises:
            SendError: a file, which is named, cannot be used.
        """
        try:
            context = _hardened(ssl.PROTOCOL_TLS_CLIENT, self.minimum_version)
            if self.ca_path is None:
                context.load_default_certs(ssl.Purpose.SERVER_AUTH)
            else:
                _load_authorities(context, self.ca_path)
            if self.certificate_path is not None and self.key_path is not None:
                _load_certificate(context, self.certificate_path, self.key_path)
        except ConfigurationError as error:
            raise SendError(str(error)) from error
        return context

    def negotiate(self, connection: socket.socket) -> ssl.SSLSocket:
        """Negotiate TLS on a connection, within the connection's timeout.

        Raises:
            SendError: a file cannot be used.
            OSError: the handshake failed.
        """
        return self.context().wrap_socket(connection, server_hostname=self.name)


class ServerCertificates:
    """TLS context of a listener; changed files are read again, and kept out if they are broken."""

    def __init__(self, settings: ServerTls) -> None:
        """Raises ConfigurationError if a file cannot be used."""
        self._settings = settings
        self._lock = threading.Lock()
        self._seen = self._look()
        self._context = server_context(settings)

    def wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        """Wrap an accepted connection, without the handshake yet."""
        return self.current().wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )

    def current(self) -> ssl.SSLContext:
        """The context for a new connection, with the certificates as they are now."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                self._seen = seen
                self._reload()
            return self._context

    def _reload(self) -> None:
        try:
            self._context = server_context(self._settings)
        except ConfigurationError as error:
            log.error("the certificates in use stay: the new ones are broken", reason=str(error))
        else:
            log.info("certificates read again")

    def _look(self) -> list[tuple[int, int, int] | None]:
        settings = self._settings
        paths = (settings.certificate_path, settings.key_path, settings.ca_path)
        return [_state(path) for path in paths if path is not None]


def server_context(settings: ServerTls) -> ssl.SSLContext:
    """Make the context of a TLS listener.

    Raises:
        ConfigurationError: a file, which is named, cannot be used.
    """
    context = _hardened(ssl.PROTOCOL_TLS_SERVER, settings.minimum_version)
    context.num_tickets = 0  # peers keep no sessions, and some close without reading them
    _load_certificate(context, settings.certificate_path, settings.key_path)
    if settings.ca_path is not None:
        _load_authorities(context, settings.ca_path)
    if settings.require_client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
    elif settings.ca_path is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def certificate_names(connection: socket.socket) -> frozenset[str] | None:
    """DNS names and IP addresses in the peer's certificate; empty without one, None without TLS."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    shown = connection.getpeercert() or {}
    alternatives: Sequence[tuple[str, str]] = shown.get("subjectAltName", ())  # type: ignore[assignment]  # a union of all fields
    return frozenset(value for kind, value in alternatives if kind in ("DNS", "IP Address"))


def why_not_reached(error: OSError) -> str:
    """Reason in words why a connection, or TLS on it, failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it ({(error.reason or 'it closed').lower().replace('_', ' ')})"
    return (error.strerror or str(error)).lower()


def _hardened(protocol: int, minimum_version: TlsVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = _VERSIONS[minimum_version]
    context.set_ciphers(_TLS_12_SUITES)
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    def no_password() -> str:
        raise ValueError("has a password")  # OpenSSL would ask for it on the terminal

    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"Certificate {certificate} with key {key} cannot be used ({_why(error)})"
        ) from error


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except OSError as error:
        raise ConfigurationError(f"Authorities {path} cannot be used ({_why(error)})") from error


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)


def _state(path: Path) -> tuple[int, int, int] | None:
    """Modification time, size and inode: one changes when a file is written or replaced."""
    with suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None
