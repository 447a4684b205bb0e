"""Settings of every kind that segments: the model's file, and how structures are written."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.config.pipelines import PipelineSettings
from core.config.values import Section
from core.errors import ModelError

PROGRAM = "pipeline.segmentation.program:run_segmentation"
"""Runs any kind that names a segmenter."""
Channel = Annotated[int, Field(ge=0, le=255)]


class Structure(Section):
    """How a structure of a model is written; what is not given is the model's own."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """ROIName, such as the one that AAPM TG-263 has for it."""
    color_rgb: tuple[Channel, Channel, Channel] | None = None
    interpreted_type: Annotated[str, Field(pattern=r"^[A-Z0-9_ ]{1,16}$")] | None = None
    """RTROIInterpretedType, such as ORGAN."""


class SegmentationSettings(PipelineSettings):
    """A model, and the structure sets and segmentations that are written of its masks."""

    checkpoint_path: Path
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

    @property
    def model_path(self) -> Path:
        """File of the model."""
        return self.checkpoint_path

    def parameters(self) -> dict[str, Any]:
        """The model's absolute path, and of the rest what differs from the defaults."""
        return {"checkpoint_path": str(self.checkpoint_path.absolute()), **self._output()}

    def fingerprint(self) -> str:
        """Text that changes with the model's content and with what is written of it.

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
        """Target system and phases."""
        return {"Written for": f"{self.variant}, phases {self.phases}"}

    def check_model(self, card: Mapping[str, Any]) -> None:
        """Nothing, when the model has every structure that the settings name.

        Raises:
            ModelError: a structure is none of the model's.
        """
        unknown = set(self.structures) - {one["name"] for one in card["structures"]}
        if unknown:
            raise ModelError(f"structures: the model draws no {', '.join(sorted(unknown))}")

    def _output(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values in a fixed order."""
        return self.model_dump(
            mode="json",
            include={"variant", "phases", "holes", "segmentation", "structures"},
            exclude_defaults=True,
        )
