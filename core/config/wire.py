"""Settings of the DICOM listener: who may associate, TLS, and limits on what peers send."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydicom.uid import UID

from core.config.values import AeTitle, Name, Port, Positive, Section, TimeLimit
from core.uids import is_standard_uid

TlsVersion = Literal["1.2", "1.3"]


def _parse_network(value: str) -> str:
    """Return an address range in CIDR form; raise ValueError with what was expected."""
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError as error:
        raise ValueError("an address or a range such as 192.0.2.0/24") from error


def _from_yes_or_no(value: Any) -> Any:
    """Read `tls: true` as TLS with the node's own certificate and authorities."""
    if value is True:
        return {}
    return None if value is False else value


def _parse_sop_class(value: str) -> str:
    """Return a SOP Class UID that may be stored; raise ValueError with what was expected."""
    if not is_standard_uid(value):
        raise ValueError("a UID such as 1.3.12.2.1107.5.9.1: digits and dots, in quotes")
    known = UID(value)
    if known.type and not ("Storage" in known.name and known.type == "SOP Class"):
        raise ValueError(f"a SOP class of instances to store, this is {known.name}")
    return value


Network = Annotated[str, AfterValidator(_parse_network)]
SopClass = Annotated[str, AfterValidator(_parse_sop_class)]


class ServerTls(Section):
    """TLS port and certificate of the listener."""

    certificate_path: Path
    """PEM: the node's certificate, followed by intermediate certificates."""
    key_path: Path
    """PEM: the private key, without a password."""
    ca_path: Path | None = None
    """PEM: trusted certificate authorities; not given: the system's, for sending only."""
    port: Port = 2762
    """Default: dicom-tls in the IANA registry."""
    require_client_certificate: bool = True
    minimum_version: TlsVersion = "1.2"
    warn_before_days: Positive = 30.0
    """Days before a certificate's expiry from which the node warns of it."""

    @model_validator(mode="after")
    def _check(self) -> "ServerTls":
        if self.require_client_certificate and self.ca_path is None:
            raise ValueError(
                "wire.tls.ca_path: is missing, expected with require_client_certificate"
            )
        return self


class PeerTls(Section):
    """TLS settings of a peer; values that are not given are those of `wire.tls`."""

    ca_path: Path | None = None
    name: Name | None = None
    """Name that the peer's certificate must bear; its `ip` if not given. If given, connections from
    the peer must show a certificate with that name too."""
    certificate_path: Path | None = None
    key_path: Path | None = None
    """Certificate and key that the node presents to the peer."""
    minimum_version: TlsVersion = "1.2"

    @model_validator(mode="after")
    def _check(self) -> "PeerTls":
        if (self.certificate_path is None) != (self.key_path is None):
            raise ValueError("tls.certificate_path and tls.key_path: both or neither")
        return self


def with_own_tls(peer: Any, own: Mapping[str, Any]) -> Any:
    """Complete the `tls` of a peer's keys with those values of `wire.tls` that it does not set."""
    if not isinstance(peer, dict) or not peer.get("tls"):
        return peer
    given = {} if peer["tls"] is True else peer["tls"]
    if not isinstance(given, dict):
        return peer
    shared = {"ca_path", "minimum_version"}
    if not given.keys() & {"certificate_path", "key_path"}:
        shared |= {"certificate_path", "key_path"}
    inherited = {key: value for key, value in own.items() if key in shared}
    return peer | {"tls": inherited | given}


PeerTlsOrNot = Annotated[PeerTls | None, BeforeValidator(_from_yes_or_no)]
AeTitles = tuple[AeTitle, ...]


class Wire(Section):
    """The DICOM listener: who may associate, and its limits."""

    verification: Literal["peers", "everyone"] = "peers"
    """Who may open an association for Verification (C-ECHO) alone."""
    called_ae_title: Literal["any", "known"] = "any"
    """`known`: only `ae_title` and the titles that a rule or the peer names."""
    plain: Literal["open", "loopback", "closed"] = "open"
    """Where the port without TLS listens: at `scp_ip`, on this machine only, or nowhere."""
    tls: ServerTls | None = None
    private_sop_classes: tuple[SopClass, ...] = ()
    """SOP Class UIDs of makers, or of a later edition of the standard, that are stored, too."""
    data_path: Literal["own", "pynetdicom"] | None = None
    """Without effect; accepted so that older configurations stay valid."""

    maximum_associations: Annotated[int, Field(ge=1, le=1000)] = 64
    maximum_associations_per_address: Annotated[int, Field(ge=1, le=1000)] = 32
    maximum_waiting: Annotated[int, Field(ge=1, le=10_000)] = 128
    """Connections that have not sent an A-ASSOCIATE-RQ yet."""
    idle_timeout_s: TimeLimit = 60.0
    """Seconds without data after which an association is aborted."""
    associate_timeout_s: TimeLimit = 15.0
    """Seconds from the connection to the complete A-ASSOCIATE-RQ, TLS handshake included."""
    pdu_timeout_s: TimeLimit = 30.0
    """Seconds from the first to the last byte of a PDU, and for each write to the network."""

    maximum_pdu_bytes: Annotated[int, Field(ge=4096, le=16_777_216)] = 262_144
    """Maximum length of P-DATA-TF PDUs, as announced to peers (PS3.8 D.1)."""
    maximum_request_bytes: Annotated[int, Field(ge=4096, le=16_777_216)] = 262_144
    """Maximum length of an A-ASSOCIATE-RQ."""
    maximum_contexts: Annotated[int, Field(ge=1, le=128)] = 128
    """Presentation contexts proposed (PS3.8 section 9.3.2.2: 128 at most)."""
    maximum_command_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    maximum_instance_mb: Annotated[int, Field(ge=1)] = 4096
    maximum_nesting: Annotated[int, Field(ge=1, le=100)] = 32
    """Depth of sequences within sequences of a data set."""
    maximum_elements: Annotated[int, Field(ge=1000)] = 2_000_000
    """Data elements of a data set, those in sequences included."""
    maximum_inflated_mb: Annotated[int, Field(ge=1)] = 1024
    """Size of a deflated data set once it is inflated."""
    maximum_decoded_mb: Annotated[int, Field(ge=1)] = 4096
    """Size of the pixels of an instance once they are decoded."""
    minimum_free_mb: Annotated[int, Field(ge=0)] = 500
    """Free disk space below which C-STORE is answered 0xA700 (out of resources)."""

    @model_validator(mode="after")
    def _check(self) -> "Wire":
        if self.plain == "closed" and self.tls is None:
            raise ValueError("wire.tls: is missing, expected with wire.plain: closed")
        return self
