"""TLS flags of the command lines that send."""

from argparse import Namespace
from pathlib import Path

from core.command_line import ArgumentParser
from core.errors import ConfigurationError
from network.tls import ClientTls


def add_tls_arguments(parser: ArgumentParser) -> None:
    """Add `--tls`, `--tls_ca`, `--tls_name`, `--tls_certificate` and `--tls_key`."""
    group = parser.add_argument_group("TLS", "any of these turns it on")
    group.add_argument("--tls", action="store_true", help="use TLS to the peer")
    group.add_argument("--tls_ca", type=Path, help="PEM: authorities; the system's if not given")
    group.add_argument("--tls_name", help="host name in the peer's certificate")
    group.add_argument(
        "--tls_certificate", type=Path, help="PEM: certificate to present to the peer"
    )
    group.add_argument("--tls_key", type=Path, help="PEM: its key, without a password")


def client_tls(values: Namespace, host: str) -> ClientTls | None:
    """TLS settings of the flags; None if no flag is given.

    Raises:
        ConfigurationError: a file does not exist, or only one of certificate and key is given.
    """
    paths = {flag: getattr(values, flag) for flag in ("tls_ca", "tls_certificate", "tls_key")}
    if not (values.tls or values.tls_name or any(paths.values())):
        return None
    for flag, path in paths.items():
        if path is not None and not path.is_file():
            raise ConfigurationError(f"--{flag}: expected a file, found none at {str(path)!r}")
    if (values.tls_certificate is None) != (values.tls_key is None):
        raise ConfigurationError("--tls_certificate and --tls_key: expected both or neither")
    return ClientTls(
        name=values.tls_name or host,
        ca_path=values.tls_ca,
        certificate_path=values.tls_certificate,
        key_path=values.tls_key,
    )
