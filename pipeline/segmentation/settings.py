"""Settings of all kinds that segment: the model's file, and how structures are written."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from core.config.pipelines import PipelineSettings
from core.config.values import Section
from core.errors import ModelError
from imaging.rtstruct.target_systems import VARIANTS

PROGRAM = "pipeline.segmentation.program:run_segmentation"
"""Program of any kind that names a segmenter."""


def _known_variant(name: str) -> str:
    if name not in VARIANTS:
        raise ValueError(f"one of {', '.join(VARIANTS)}")
    return name


VariantName = Annotated[str, AfterValidator(_known_variant)]
Channel = Annotated[int, Field(ge=0, le=255)]


class Structure(Section):
    """How a structure is written; values that are not given are the model's own."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """ROIName, such as that of AAPM TG-263."""
    color_rgb: tuple[Channel, Channel, Channel] | None = None
    interpreted_type: Annotated[str, Field(pattern=r"^[A-Z0-9_ ]{1,16}$")] | None = None
    """RTROIInterpretedType, such as ORGAN."""


class SegmentationSettings(PipelineSettings):
    """Model, and options of the structure sets and segmentations written from its masks."""

    checkpoint_path: Path
    variant: VariantName = "generic"
    """Target system with whose limits the structure set complies."""
    phases: Literal["together", "apart"] = "together"
    """One structure set for all phases of a series, or one for each."""
    holes: Literal["keyhole", "xor"] = "keyhole"
    """Holes as keyholes in their outline, or as separate contours (CLOSEDPLANAR_XOR)."""
    segmentation: bool = False
    """True to write a DICOM Segmentation beside the structure set."""
    structures: dict[str, Structure] = Field(default_factory=dict)
    """Changes by the structure's name in the model."""

    @property
    def model_path(self) -> Path:
        """File of the model."""
        return self.checkpoint_path

    def parameters(self) -> dict[str, Any]:
        """Parameters of a job: the model's absolute path, and values other than the defaults."""
        return {"checkpoint_path": str(self.checkpoint_path.absolute()), **self._output()}

    def fingerprint(self) -> str:
        """Text that changes with the model's content and with the output options.

        Raises:
            ModelError: the model's file cannot be read.
        """
        try:
            digest = hashlib.sha256(self.checkpoint_path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(
                f"Checkpoint {self.checkpoint_path} cannot be read ({error.strerror})"
            ) from error
        output = "".join(f" {key}={value!r}" for key, value in self._output().items())
        return f"{self.kind} checkpoint={digest}{output}"

    def in_words(self) -> dict[str, str]:
        """Settings for the page of models: target system and phases."""
        return {"Written for": f"{self.variant}, phases {self.phases}"}

    def roi_names(self, card: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Names of the structures in results; without the model's card, those configured.

        A kind whose card can be read without its libraries reads it where none is given.
        """
        if card is None:
            return tuple(one.name for one in self.structures.values() if one.name)
        known = [str(one["name"]) for one in card["structures"]]
        changed = {name: one.name for name, one in self.structures.items()}
        return tuple(changed.get(name) or name for name in known)

    def check_model(self, card: Mapping[str, Any]) -> None:
        """Check that the model has all structures that the settings name.

        Raises:
            ModelError: the model lacks one.
        """
        unknown = set(self.structures) - {one["name"] for one in card["structures"]}
        if unknown:
            raise ModelError(f"structures: the model draws no {', '.join(sorted(unknown))}")

    def _output(self) -> dict[str, Any]:
        """Output options that differ from the defaults, as plain values in a fixed order."""
        return self.model_dump(
            mode="json",
            include={"variant", "phases", "holes", "segmentation", "structures"},
            exclude_defaults=True,
        )
