"""Peers, rules and pipelines: who sends, what runs on it, where results go."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.config.retry import Retry
from core.config.values import AeTitle, Name, PeerPort, PipelineName, Positive, Seconds, Section
from core.config.wire import AeTitles, Network, PeerTlsOrNot
from core.errors import ModelError

Channel = Annotated[int, Field(ge=0, le=255)]
SHIPPED_CHECKPOINT = Path(__file__).parents[2] / "model" / "shipped" / "left_ventricle.ckpt"


class Peer(Section):
    """A system that may send from elsewhere than this machine, and to which results can go."""

    name: Name
    ae_title: AeTitle
    ip: Name
    port: PeerPort
    networks: tuple[Network, ...] = ()
    """Address ranges from which it may come, besides `ip`."""
    called_ae_titles: AeTitles = ()
    """AE titles of ours that it may call; none given: any that `wire.called_ae_title` lets."""
    tls: PeerTlsOrNot = None
    """Given, it is spoken to by TLS, and may come by TLS only."""
    associations: Annotated[int, Field(ge=1, le=16)] = 1
    """How many it takes from us at once; several share the instances of a result set."""
    settle_s: Seconds | None = None
    """Instead of `completion.settle_s`, for series that it sends."""
    retry: Retry | None = None
    """Instead of `delivery`'s, for all that it is sent, asked or told."""
    query: bool = False
    """Whether it answers C-FIND (PS3.4 Annex C), so that it can be asked how much there is."""
    query_ae_title: AeTitle | None = None
    query_port: PeerPort | None = None
    """Where it answers C-FIND, when that is not `ae_title` and `port`."""
    proof: Literal["auto", "commitment", "query", "none"] = "auto"
    """How it proves that it holds results; `auto`: storage commitment, else C-FIND, else not."""
    storage_commitment: bool = False
    """Whether it may ask us for storage commitment, and then delete its own copy."""


class Rule(Section):
    """Which pipeline a series gets; the first rule that matches counts, alone or with others."""

    pipeline: PipelineName
    called_ae_title: str = "*"
    calling_ae_title: str = "*"
    tags: dict[str, str] = Field(default_factory=dict)
    """DICOM keyword to a value or a pattern with `*` and `?`, compared without regard to case."""
    destinations: tuple[str, ...] = ()
    """Names of peers, or `sender`; empty: the sender if it is a peer, else --scu_ip/--scu_port."""
    also_next: bool = False
    """Whether the next rule that matches counts, too: one series feeds several pipelines."""


class BlurPipeline(Section):
    """3D Gaussian blur of the whole series."""

    kind: Literal["blur"] = "blur"
    sigma_mm: Annotated[float, Field(gt=0, le=100)] = 3.0
    resources: dict[str, Positive] = Field(default_factory=dict)
    """What a worker of an external cluster must offer, such as `GPU: 1`."""

    def parameters(self) -> dict[str, Any]:
        """What the pipeline is told, as plain values."""
        return {"sigma_mm": self.sigma_mm}

    def fingerprint(self) -> str:
        """Text that changes when the pipeline's results could."""
        return f"blur sigma_mm={self.sigma_mm!r}"


class Structure(Section):
    """How a structure of a model is written; what is not given is the model's own."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """ROIName, such as the one that AAPM TG-263 has for it."""
    color_rgb: tuple[Channel, Channel, Channel] | None = None
    interpreted_type: Annotated[str, Field(pattern=r"^[A-Z0-9_ ]{1,16}$")] | None = None
    """RTROIInterpretedType, such as ORGAN."""


class UnetPipeline(Section):
    """Segmentation by a UNet checkpoint."""

    kind: Literal["unet"] = "unet"
    checkpoint_path: Path = SHIPPED_CHECKPOINT
    variant: Literal["generic", "eclipse", "raystation", "pinnacle"] = "generic"
    """The target system whose limits the structure set keeps."""
    phases: Literal["together", "apart"] = "together"
    """Whether the phases of a series share a structure set or have one each."""
    holes: Literal["keyhole", "xor"] = "keyhole"
    """Holes joined to their outline, or contours of their own (CLOSEDPLANAR_XOR)."""
    segmentation: bool = False
    """Whether a DICOM Segmentation goes with the structure set."""
    structures: dict[str, Structure] = Field(default_factory=dict)
    """By the model's name of the structure."""
    resources: dict[str, Positive] = Field(default_factory=dict)
    """What a worker of an external cluster must offer, such as `GPU: 1`."""

    def parameters(self) -> dict[str, Any]:
        """What the pipeline is told, as plain values."""
        return {"checkpoint_path": str(self.checkpoint_path.absolute()), **self._output()}

    def fingerprint(self) -> str:
        """Text that changes when the pipeline's results could: checkpoint's content and output.

        Raises:
            ModelError: the checkpoint cannot be read.
        """
        try:
            digest = hashlib.sha256(self.checkpoint_path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(
                f"Checkpoint {self.checkpoint_path} cannot be read ({error.strerror})"
            ) from error
        output = "".join(f" {key}={value!r}" for key, value in self._output().items())
        return f"unet checkpoint={digest}{output}"

    def _output(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values in a fixed order."""
        return self.model_dump(
            mode="json",
            include={"variant", "phases", "holes", "segmentation", "structures"},
            exclude_defaults=True,
        )


Pipeline = Annotated[BlurPipeline | UnetPipeline, Field(discriminator="kind")]
