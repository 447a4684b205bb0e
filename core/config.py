"""The configuration: read once at a door, validated whole, explained in one sentence when wrong."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from core.ae_titles import parse_ae_title
from core.errors import ModelError
from core.uids import PYDICOM_ROOT_UID, is_standard_uid, longest_root_uid

SHIPPED_CHECKPOINT = Path(__file__).parent.parent / "model" / "shipped" / "left_ventricle.ckpt"
PIPELINE_ALIASES = {"3dblur": "blur"}
SENDER = "sender"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


def _root_uid(value: str) -> str:
    root = value if value.endswith(".") else f"{value}."
    if not is_standard_uid(root[:-1]) or len(root) > longest_root_uid():
        raise ValueError(f"a UID root of digits and dots, at most {longest_root_uid()} characters")
    return root


def _pipeline_name(value: str) -> str:
    return PIPELINE_ALIASES.get(value, value)


AeTitle = Annotated[str, AfterValidator(parse_ae_title)]
RootUid = Annotated[str, AfterValidator(_root_uid)]
PipelineName = Annotated[str, AfterValidator(_pipeline_name)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Peer(_Section):
    """A system that may send from elsewhere than this machine, and to which results can go."""

    name: str
    ae_title: AeTitle
    ip: str
    port: Annotated[int, Field(ge=1, le=65535)]
    settle_s: Seconds | None = None
    """Instead of `completion.settle_s`, for series that it sends."""
    query: bool = False
    """Whether it answers C-FIND (PS3.4 Annex C), so that it can be asked how much there is."""
    query_ae_title: AeTitle | None = None
    query_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Where it answers C-FIND, when that is not `ae_title` and `port`."""
    proof: Literal["auto", "commitment", "query", "none"] = "auto"
    """How it proves that it holds results; `auto`: storage commitment, else C-FIND, else not."""
    storage_commitment: bool = False
    """Whether it may ask us for storage commitment, and then delete its own copy."""


class Rule(_Section):
    """Which pipeline a series gets; the first rule that matches counts."""

    pipeline: PipelineName
    called_ae_title: str = "*"
    calling_ae_title: str = "*"
    tags: dict[str, str] = {}
    """DICOM keyword to a value or a pattern with `*` and `?`, compared without regard to case."""
    destinations: tuple[str, ...] = ()
    """Names of peers, or `sender`; empty: the sender if it is a peer, else --scu_ip/--scu_port."""


class BlurPipeline(_Section):
    """3D Gaussian blur of the whole series."""

    kind: Literal["blur"] = "blur"
    sigma_mm: Annotated[float, Field(gt=0, le=100)] = 3.0
    resources: dict[str, Annotated[float, Field(gt=0)]] = {}
    """What a worker of an external cluster must offer, such as `GPU: 1`."""

    def parameters(self) -> dict[str, Any]:
        """What the pipeline is told, as plain values."""
        return {"sigma_mm": self.sigma_mm}

    def fingerprint(self) -> str:
        """Text that changes when the pipeline's results could."""
        return f"blur sigma_mm={self.sigma_mm!r}"


class UnetPipeline(_Section):
    """Segmentation by a UNet checkpoint."""

    kind: Literal["unet"] = "unet"
    checkpoint_path: Path = SHIPPED_CHECKPOINT
    resources: dict[str, Annotated[float, Field(gt=0)]] = {}
    """What a worker of an external cluster must offer, such as `GPU: 1`."""

    def parameters(self) -> dict[str, Any]:
        """What the pipeline is told, as plain values."""
        return {"checkpoint_path": str(self.checkpoint_path.absolute())}

    def fingerprint(self) -> str:
        """Text that changes when the pipeline's results could: the checkpoint's content.

        Raises:
            ModelError: the checkpoint cannot be read.
        """
        try:
            digest = hashlib.sha256(self.checkpoint_path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(
                f"Checkpoint {self.checkpoint_path} cannot be read ({error.strerror})"
            ) from error
        return f"unet checkpoint={digest}"


Pipeline = Annotated[BlurPipeline | UnetPipeline, Field(discriminator="kind")]


class Completion(_Section):
    """When a series counts as whole."""

    settle_s: Seconds = 5.0
    """Quiet time after an association was released before its series are looked at."""
    recount_s: Annotated[float, Field(gt=0)] = 30.0
    """How often a sender is asked again while fewer instances are here than it has."""
    wait_for_rest_s: Seconds = 3600.0
    """How long a series waits for the rest that its sender has, before it is held."""


class Delivery(_Section):
    """How results are pushed."""

    first_retry_s: Seconds = 30.0
    longest_retry_s: Seconds = 3600.0
    give_up_after_h: Annotated[float, Field(gt=0)] = 72.0
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    duplicate_is_stored: bool = True
    """Whether a peer's answer 0x0111, duplicate SOP instance, counts as stored."""


class Proof(_Section):
    """How peers are asked whether they hold what they said they stored."""

    answer_on_association_s: Seconds = 5.0
    """How long the association stays open for the answer to a storage commitment request."""
    answer_within_h: Annotated[float, Field(gt=0)] = 24.0
    """How long an answer on a new association is waited for."""


class Retention(_Section):
    """When results and sources are removed; never before they are delivered."""

    results_days: Annotated[float, Field(gt=0)] | None = None
    sources_days: Annotated[float, Field(gt=0)] | None = None
    """None: kept for good."""


class Webhook(_Section):
    """Where events are posted to, signed, without patient data."""

    url: str | None = None
    secret: SecretStr | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 10.0
    give_up_after_h: Annotated[float, Field(gt=0)] = 72.0

    @model_validator(mode="after")
    def _check(self) -> "Webhook":
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"webhook.url: {self.url!r}, expected http:// or https://")
        if (self.url is None) != (self.secret is None):
            raise ValueError("webhook.url and webhook.secret: both or neither")
        return self


class EngineTls(_Section):
    """Certificates that scheduler, workers and node show each other."""

    ca_path: Path
    certificate_path: Path
    key_path: Path


class Engine(_Section):
    """Where pipelines run."""

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many jobs run at once, each in a process of its own."""
    scheduler: str | None = None
    """Address of an existing Dask scheduler, instead of workers of our own."""
    tls: EngineTls | None = None
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """A job at which so many workers died is failed."""
    time_limit_s: Annotated[float, Field(gt=0)] = 3600.0
    stop_grace_s: Seconds = 20.0
    """How long a stop waits for the running job before leaving it to the next start."""

    @model_validator(mode="after")
    def _check(self) -> "Engine":
        if self.scheduler is None:
            return self
        scheme, _, place = self.scheduler.partition("://")
        host = place.rpartition(":")[0]
        if scheme not in ("tcp", "tls") or not host:
            raise ValueError(
                f"engine.scheduler: {self.scheduler!r}, expected tcp://ADDRESS:PORT or tls://..."
            )
        if scheme == "tls" and self.tls is None:
            raise ValueError("engine.tls: is missing, expected with a scheduler at tls://")
        if scheme == "tcp" and host not in _LOOPBACK:
            raise ValueError(
                f"engine.scheduler: {self.scheduler!r}, expected tls:// with engine.tls, as "
                "whoever reaches a scheduler from another machine can run code"
            )
        return self


class Wire(_Section):
    """Bounds of the listener."""

    maximum_associations: Annotated[int, Field(ge=1, le=1000)] = 64
    idle_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    minimum_free_mb: Annotated[int, Field(ge=0)] = 500
    """Below this much free disk, instances are answered 0xA700, out of resources."""


class Log(_Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False
    file: Path | None = None
    """The rotating log file; `debug.log` in the storage path when not given."""


class Configuration(_Section):
    """Everything the node is told; keys at this level are also command-line flags."""

    scp_ip: str = "127.0.0.1"
    scp_port: Port = 11112
    ae_title: AeTitle = "SLICEWIRE"
    scu_ip: str | None = None
    scu_port: Port | None = None
    scu_ae: AeTitle = "ANY-SCP"
    storage_path: Path = Path("dicom_storage_requests")
    database_url: SecretStr | None = None
    """The ledger's PostgreSQL database; SQLite in the storage path when not given."""
    checkpoint_path: Path | None = None
    root_uid: RootUid = PYDICOM_ROOT_UID
    export_series: bool = True
    pipeline: PipelineName | None = None
    peers: tuple[Peer, ...] = ()
    rules: tuple[Rule, ...] = ()
    pipelines: dict[str, Pipeline] = {}
    completion: Completion = Completion()
    delivery: Delivery = Delivery()
    proof: Proof = Proof()
    retention: Retention = Retention()
    webhook: Webhook = Webhook()
    engine: Engine = Engine()
    wire: Wire = Wire()
    log: Log = Log()

    @property
    def plain_database_url(self) -> str | None:
        """Where the ledger is, password and all; not for a log."""
        return None if self.database_url is None else self.database_url.get_secret_value()

    @model_validator(mode="before")
    @classmethod
    def _fill_pipelines(cls, values: dict[str, Any]) -> dict[str, Any]:
        """`blur` and `unet` always exist, and a pipeline of these names needs no `kind`.

        A section whose keys are all commented out counts as not given.
        """
        values = {key: value for key, value in values.items() if value is not None}
        given = values.get("pipelines") or {}
        if not isinstance(given, dict):
            return values
        pipelines: dict[str, Any] = {"blur": {}, "unet": {}} | given
        for name in ("blur", "unet"):
            if isinstance(pipelines[name], dict):
                pipelines[name] = {"kind": name} | pipelines[name]
        if values.get("checkpoint_path") and isinstance(pipelines["unet"], dict):
            pipelines["unet"] = pipelines["unet"] | {"checkpoint_path": values["checkpoint_path"]}
        return values | {"pipelines": pipelines}

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
