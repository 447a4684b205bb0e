"""The configuration as a whole; validation errors are one sentence."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator

from core.config.pipelines import Pipeline, pipelines_given
from core.config.retry import RetryPolicy
from core.config.routing import Peer, Rule
from core.config.sections import (
    Completion,
    Delivery,
    Engine,
    Geometry,
    Log,
    Proof,
    Retention,
    Webhook,
)
from core.config.values import AeTitle, Name, PipelineName, Port, RootUid, Section
from core.config.web import Web, is_loopback
from core.config.wire import Wire, with_own_tls
from core.uids import PYDICOM_ROOT_UID

SENDER = "sender"


class Configuration(Section):
    """The node's configuration; keys at this level are also command-line flags."""

    scp_ip: str = "127.0.0.1"
    scp_port: Port = 11112
    ae_title: AeTitle = "SLICEWIRE"
    scu_ip: Name | None = None
    scu_port: Port | None = None
    scu_ae: AeTitle = "ANY-SCP"
    storage_path: Path = Path("dicom_storage_requests")
    database_url: SecretStr | None = None
    """The ledger's PostgreSQL database; SQLite in the storage path if not given."""
    checkpoint_path: Path | None = None
    root_uid: RootUid = PYDICOM_ROOT_UID
    export_series: bool = True
    pipeline: PipelineName | None = None
    web_ip: str = "127.0.0.1"
    web_port: Port = 8080
    """0: no pages and no REST API."""
    peers: tuple[Peer, ...] = ()
    rules: tuple[Rule, ...] = ()
    pipelines: dict[str, Pipeline] = Field(default_factory=dict)
    completion: Completion = Completion()
    geometry: Geometry = Geometry()
    delivery: Delivery = Delivery()
    proof: Proof = Proof()
    retention: Retention = Retention()
    webhook: Webhook = Webhook()
    engine: Engine = Engine()
    wire: Wire = Wire()
    log: Log = Log()
    web: Web = Web()

    def retry_of(self, peer: str) -> RetryPolicy:
        """Return the retry policy of the peer of this name; the default for an unknown peer."""
        default = self.delivery.policy
        own = next((one.retry for one in self.peers if one.name == peer), None)
        return default if own is None else own.over(default)

    @property
    def plain_database_url(self) -> str | None:
        """URL of the ledger's database with its password; never to be logged."""
        return None if self.database_url is None else self.database_url.get_secret_value()

    @model_validator(mode="before")
    @classmethod
    def _fill_pipelines(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Add pipelines of kinds that need no keys, and the `checkpoint_path` of `unet`.

        A section whose keys are all commented out counts as not given.
        """
        values = {key: value for key, value in values.items() if value is not None}
        given = values.get("pipelines") or {}
        if not isinstance(given, dict):
            return values
        pipelines = pipelines_given(given)
        if values.get("checkpoint_path") and isinstance(pipelines["unet"], dict):
            pipelines["unet"] = pipelines["unet"] | {"checkpoint_path": values["checkpoint_path"]}
        return values | {"pipelines": pipelines}

    @model_validator(mode="before")
    @classmethod
    def _fill_tls(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Complete the `tls` of peers with the certificates of `wire.tls`."""
        wire, peers = values.get("wire"), values.get("peers")
        own = wire.get("tls") if isinstance(wire, dict) else None
        if not isinstance(own, dict) or not isinstance(peers, list | tuple):
            return values
        return values | {"peers": [with_own_tls(peer, own) for peer in peers]}

    @model_validator(mode="after")
    def _check_web(self) -> "Configuration":
        encrypted = self.web.certificate_path is not None or self.web.plain_http
        if self.web_port and not encrypted and not is_loopback(self.web_ip):
            raise ValueError(
                f"web_ip: {self.web_ip!r}, expected web.certificate_path and web.key_path with it, "
                "or web.plain_http: true behind a proxy that does the HTTPS"
            )
        return self

    @model_validator(mode="after")
    def _check_retries(self) -> "Configuration":
        """Check peers with `retry` settings; in `delivery` the longest pause may be the shorter."""
        for number, peer in enumerate(self.peers):
            try:
                self.retry_of(peer.name)
            except ValueError as error:
                raise ValueError(f"peers.{number}.retry.{error}") from error
        return self

    @model_validator(mode="after")
    def _check_names(self) -> "Configuration":
        peers = [peer.name for peer in self.peers]
        if len(set(peers)) != len(peers):
            raise ValueError(f"peers: every name once, found {', '.join(sorted(peers))}")
        if (self.scu_ip is None) != (self.scu_port is None):
            raise ValueError("scu_ip and scu_port: both or neither")
        for place, pipeline in self._pipelines_named():
            if pipeline not in self.pipelines:
                raise ValueError(f"{place}: {pipeline!r}, expected one of {self._known()}")
        for number, rule in enumerate(self.rules):
            for name in rule.destinations:
                if name != SENDER and name not in peers:
                    raise ValueError(
                        f"rules.{number}.destinations: {name!r}, expected {SENDER} or a peer's name"
                    )
        return self

    def _pipelines_named(self) -> list[tuple[str, str]]:
        named = [
            (f"rules.{number}.pipeline", rule.pipeline) for number, rule in enumerate(self.rules)
        ]
        return named + ([("pipeline", self.pipeline)] if self.pipeline is not None else [])

    def _known(self) -> str:
        return ", ".join(sorted(self.pipelines))
