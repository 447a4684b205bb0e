"""Validity of the certificates that the configuration names; for status, checks and metrics."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.config.settings import Configuration

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_DAY_S = 86400.0
_SEQUENCE, _UTC_TIME, _VERSION = 0x30, 0x17, 0xA0


@dataclass(frozen=True, slots=True)
class Expiry:
    """Validity of one file of certificates."""

    path: Path
    expires_at: float | None
    """When the first of them expires, in seconds since 1970; None if the file cannot be read."""
    days_left: float | None
    is_due: bool
    """True if a person has to act: the file is unusable now, or will be soon."""
    begins_at: float | None = None
    """When the first certificate becomes valid, in seconds since 1970; None if it is already."""

    @property
    def is_unusable(self) -> bool:
        """True if peers refuse it now: expired, not valid yet, or not readable."""
        return self.days_left is None or self.days_left < 0 or self.begins_at is not None

    @property
    def words(self) -> str:
        """State in words, such as `certificate node.pem: expires 2027-01-31, in 71 days`."""
        if self.expires_at is None or self.days_left is None:
            return f"certificate {self.path}: cannot be read"
        if self.begins_at is not None:
            words = f"not valid before {_day(self.begins_at)}, or this machine's clock is wrong"
            return f"certificate {self.path}: {words}"
        day = _day(self.expires_at)
        if self.days_left < 0:
            return f"certificate {self.path}: expired {day}, renew it"
        asks = ", renew it" if self.is_due else ""
        return f"certificate {self.path}: expires {day}, in {self.days_left:.0f} days{asks}"


def certificates(configuration: Configuration, now: float | None = None) -> list[Expiry]:
    """Validity of every file of certificates that the configuration names, each once.

    Args:
        configuration: names files in `wire.tls`, in the peers' `tls` and for the pages.
        now: seconds since 1970; the present if not given.
    """
    at = datetime.now(UTC).timestamp() if now is None else now
    own = configuration.wire.tls
    days = 30.0 if own is None else own.warn_before_days
    return [_expiry(path, at, days) for path in dict.fromkeys(_paths(configuration))]


def expiring(configuration: Configuration, now: float | None = None) -> list[Expiry]:
    """The files whose certificates a person has to renew."""
    return [one for one in certificates(configuration, now) if one.is_due]


def _paths(configuration: Configuration) -> Iterator[Path]:
    own = configuration.wire.tls
    settings = [own, *(peer.tls for peer in configuration.peers)]
    for one in settings:
        if one is not None:
            yield from (path for path in (one.certificate_path, one.ca_path) if path is not None)
    if configuration.web_port and configuration.web.certificate_path is not None:
        yield configuration.web.certificate_path


def _expiry(path: Path, now: float, days: float) -> Expiry:
    try:
        found = [validity(one) for one in _BLOCK.findall(path.read_text("ascii"))]
        expires_at = min(until for _, until in found)
    except (OSError, ValueError, IndexError):
        return Expiry(path, None, None, is_due=True)
    # the first is the node's own, or the authority in use; its successor may follow it
    begins_at, _ = found[0]
    left, is_early = (expires_at - now) / _DAY_S, begins_at > now
    is_due = left < days or is_early
    return Expiry(path, expires_at, left, is_due, begins_at if is_early else None)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def validity(pem: str) -> tuple[float, float]:
    """Start and end of a certificate's validity (RFC 5280 4.1.2.5), in seconds since 1970.

    Raises:
        ValueError: `pem` is no certificate.
    """
    _, certificate, _ = _element(ssl.PEM_cert_to_DER_cert(pem))
    _, to_be_signed, _ = _element(certificate)
    kind, _, rest = _element(to_be_signed)
    skipped = 3 if kind == _VERSION else 2  # serial number, signature algorithm, issuer
    for _ in range(skipped):
        _, _, rest = _element(rest)
    kind, between, _ = _element(rest)
    if kind != _SEQUENCE:
        raise ValueError("expected the validity of a certificate")
    first, since, rest = _element(between)
    last, until, _ = _element(rest)
    return _time(first, since.decode("ascii")), _time(last, until.decode("ascii"))


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and the bytes after it (X.690 8.1)."""
    kind, length, start = der[0], der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start + length > len(der):
        raise ValueError("cut short")
    return kind, der[start : start + length], der[start + length :]


def _time(kind: int, text: str) -> float:
    """Seconds since 1970; in a UTCTime the years 50 to 99 are 1950 to 1999 (RFC 5280 4.1.2.5.1)."""
    if kind == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
