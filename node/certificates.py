"""When the certificates expire that the configuration names; for status, checks and metrics."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.config import Configuration

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_DAY_S = 86400.0
_SEQUENCE, _UTC_TIME, _VERSION = 0x30, 0x17, 0xA0


@dataclass(frozen=True, slots=True)
class Expiry:
    """Of the certificates in one file, that which expires first."""

    path: Path
    expires_at: float | None
    """Seconds since 1970; None where the file cannot be read."""
    days_left: float | None
    is_due: bool
    """Whether a person has to act: soon over, over, or not readable."""

    @property
    def is_over(self) -> bool:
        """Whether it is of no use now: expired, or not readable."""
        return self.days_left is None or self.days_left < 0

    @property
    def words(self) -> str:
        """Such as `certificate node.pem: expires 2027-01-31, in 71 days`."""
        if self.expires_at is None or self.days_left is None:
            return f"certificate {self.path}: cannot be read"
        day = datetime.fromtimestamp(self.expires_at, UTC).strftime("%Y-%m-%d")
        if self.days_left < 0:
            return f"certificate {self.path}: expired {day}, renew it"
        asks = ", renew it" if self.is_due else ""
        return f"certificate {self.path}: expires {day}, in {self.days_left:.0f} days{asks}"


def certificates(configuration: Configuration, now: float | None = None) -> list[Expiry]:
    """Every file of certificates that the configuration names, each once.

    Args:
        configuration: with `wire.tls`, peers' `tls` and the pages' certificate; none: no files.
        now: seconds since 1970, the present when not given.
    """
    at = datetime.now(UTC).timestamp() if now is None else now
    own = configuration.wire.tls
    days = 30.0 if own is None else own.warn_before_days
    return [_expiry(path, at, days) for path in dict.fromkeys(_paths(configuration))]


def expiring(configuration: Configuration, now: float | None = None) -> list[Expiry]:
    """Those that a person has to renew."""
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
        expires_at = min(not_after(one) for one in _BLOCK.findall(path.read_text("ascii")))
    except (OSError, ValueError, IndexError):
        return Expiry(path, None, None, is_due=True)
    left = (expires_at - now) / _DAY_S
    return Expiry(path, expires_at, left, is_due=left < days)


def not_after(pem: str) -> float:
    """Seconds since 1970 until which a certificate is valid (RFC 5280 section 4.1).

    Raises:
        ValueError: it is no certificate.
    """
    _, certificate, _ = _element(ssl.PEM_cert_to_DER_cert(pem))
    _, to_be_signed, _ = _element(certificate)
    kind, _, rest = _element(to_be_signed)
    skipped = 3 if kind == _VERSION else 2  # serial number, signature algorithm, issuer
    for _ in range(skipped):
        _, _, rest = _element(rest)
    kind, validity, _ = _element(rest)
    if kind != _SEQUENCE:
        raise ValueError("expected the validity of a certificate")
    _, _, rest = _element(validity)
    kind, text, _ = _element(rest)
    return _time(kind, text.decode("ascii"))


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows (X.690 section 8.1)."""
    kind, length, start = der[0], der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start + length > len(der):
        raise ValueError("cut short")
    return kind, der[start : start + length], der[start + length :]


def _time(kind: int, text: str) -> float:
    """UTCTime has two digits of the year, of which 50 to 99 are the last century's."""
    if kind == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
