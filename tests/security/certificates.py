"""Certificates for tests: an authority, another one, and what they sign."""

import datetime
from pathlib import Path

import trustme


class Authority:
    """Writes what it signs into a folder."""

    def __init__(self, folder: Path, name: str = "ours") -> None:
        self._authority = trustme.CA()
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self.ca_path = self._folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_path))

    def sign(self, stem: str, *names: str, days: float = 30.0) -> tuple[Path, Path]:
        """Certificate and key; valid from before now until so many days from now."""
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        since = until - datetime.timedelta(days=365)
        signed = self._authority.issue_cert(
            *(names or ("127.0.0.1", "localhost")), not_before=since, not_after=until
        )
        certificate, key = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
        key.write_bytes(signed.private_key_pem.bytes())
        return certificate, key
