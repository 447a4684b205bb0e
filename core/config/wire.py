"""Who may talk to the listener, how, and the bounds on everything that a peer controls."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from core.config.values import AeTitle, Name, Port, Positive, Section, TimeLimit

TlsVersion = Literal["1.2", "1.3"]


def _parse_network(value: str) -> str:
    """An address range in CIDR form; raises ValueError with what is expected instead."""
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError as error:
        raise ValueError("an address or a range such as 192.0.2.0/24") from error


def _from_yes_or_no(value: Any) -> Any:
    """`tls: true` is TLS with the node's own certificate and authorities."""
    if value is True:
        return {}
    return None if value is False else value


Network = Annotated[str, AfterValidator(_parse_network)]


class ServerTls(Section):
    """The TLS port, and the certificate that we show to whoever asks for it."""

    certificate_path: Path
    """PEM: our certificate, followed by those between it and its authority."""
    key_path: Path
    """PEM, without a password."""
    ca_path: Path | None = None
    """PEM: authorities whose certificates are trusted; none: those of the system, for sending."""
    port: Port = 2762
    """dicom-tls of the IANA registry."""
    require_client_certificate: bool = True
    minimum_version: TlsVersion = "1.2"
    warn_before_days: Positive = 30.0
    """A certificate that expires within so many days is told of."""

    @model_validator(mode="after")
    def _check(self) -> "ServerTls":
        if self.require_client_certificate and self.ca_path is None:
            raise ValueError(
                "wire.tls.ca_path: is missing, expected with require_client_certificate"
            )
        return self


class PeerTls(Section):
    """How a peer is spoken to by TLS; what is not given is as in `wire.tls`."""

    ca_path: Path | None = None
    name: Name | None = None
    """The name that its certificate must bear; its `ip` when not given. Given, what comes from it
    must bear it, too."""
    certificate_path: Path | None = None
    key_path: Path | None = None
    """The certificate that we show to it, and its key."""
    minimum_version: TlsVersion = "1.2"

    @model_validator(mode="after")
    def _check(self) -> "PeerTls":
        if (self.certificate_path is None) != (self.key_path is None):
            raise ValueError("tls.certificate_path and tls.key_path: both or neither")
        return self


def with_own_tls(peer: Any, own: Mapping[str, Any]) -> Any:
    """The keys of a peer with those of `wire.tls` where its `tls` does not say otherwise."""
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
    """The listener: who may talk to it, and its bounds."""

    verification: Literal["peers", "everyone"] = "peers"
    """Who may ask for Verification (C-ECHO) alone."""
    called_ae_title: Literal["any", "known"] = "any"
    """`known`: `ae_title`, and those that a rule or the peer names."""
    plain: Literal["open", "loopback", "closed"] = "open"
    """Where the port without TLS is: where `scp_ip` says, for this machine alone, nowhere."""
    tls: ServerTls | None = None
    data_path: Literal["own", "pynetdicom"] | None = None
    """Does nothing any more; accepted so that configurations of before go on working."""

    maximum_associations: Annotated[int, Field(ge=1, le=1000)] = 64
    maximum_associations_per_address: Annotated[int, Field(ge=1, le=1000)] = 32
    maximum_waiting: Annotated[int, Field(ge=1, le=10_000)] = 128
    """Connections that have not asked for an association yet."""
    idle_timeout_s: TimeLimit = 60.0
    """An association on which nothing comes for so long is aborted."""
    associate_timeout_s: TimeLimit = 15.0
    """From the connection to the whole association request, TLS included."""
    pdu_timeout_s: TimeLimit = 30.0
    """From the first to the last byte of a PDU, and for any write to the network."""

    maximum_pdu_bytes: Annotated[int, Field(ge=4096, le=16_777_216)] = 262_144
    """What peers are told they may send in one P-DATA-TF."""
    maximum_request_bytes: Annotated[int, Field(ge=4096, le=16_777_216)] = 262_144
    """Of an A-ASSOCIATE-RQ."""
    maximum_contexts: Annotated[int, Field(ge=1, le=128)] = 128
    """Presentation contexts proposed (PS3.8 section 9.3.2.2: 128 at most)."""
    maximum_command_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    maximum_instance_mb: Annotated[int, Field(ge=1)] = 4096
    maximum_nesting: Annotated[int, Field(ge=1, le=100)] = 32
    """Sequences within sequences of a data set."""
    maximum_elements: Annotated[int, Field(ge=1000)] = 2_000_000
    """Data elements of a data set, those in sequences included."""
    maximum_inflated_mb: Annotated[int, Field(ge=1)] = 1024
    """What a deflated data set may become."""
    maximum_decoded_mb: Annotated[int, Field(ge=1)] = 4096
    """What the pixels of an instance may become when they are decoded."""
    minimum_free_mb: Annotated[int, Field(ge=0)] = 500
    """Below this much free disk, instances are answered 0xA700, out of resources."""

    @model_validator(mode="after")
    def _check(self) -> "Wire":
        if self.plain == "closed" and self.tls is None:
            raise ValueError("wire.tls: is missing, expected with wire.plain: closed")
        return self
