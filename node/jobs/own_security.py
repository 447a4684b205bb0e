"""TLS of the node's own scheduler and workers: a key of their own for each start.

Whoever may use a port of Dask can run code as the node, and a port on loopback is open to every
user of the machine. The key is made at the start, kept in memory, and handed to worker processes
through the pipe that starts them; a connection without its certificate gets no answer.
"""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed import Security

_NAME = "slicewire-engine"
_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)  # RFC 5280, 4.1.2.5: no expiration date


def make_own_security() -> Security:
    """Make a key and a certificate that is its own authority, for scheduler, workers and client.

    It is valid at any time, as a node may run for years, and its machine's clock may be set.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    pem = _self_signed(key).public_bytes(serialization.Encoding.PEM).decode()
    return Security(
        require_encryption=True,
        tls_ca_file=pem,
        tls_client_cert=pem,
        tls_client_key=key_pem,
        tls_scheduler_cert=pem,
        tls_scheduler_key=key_pem,
        tls_worker_cert=pem,
        tls_worker_key=key_pem,
    )


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FIRST_DAY)
        .not_valid_after(_LAST_DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
