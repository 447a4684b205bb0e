"""Kind `blur`: 3D Gaussian blur of the whole series."""

from typing import Annotated, Any, Literal

from pydantic import Field

from core.config.pipelines import PipelineSettings
from imaging.geometry.rules import RULES_3D
from pipeline.kind import Kind


class BlurSettings(PipelineSettings):
    """Standard deviation of the blur."""

    kind: Literal["blur"] = "blur"
    sigma_mm: Annotated[float, Field(gt=0, le=100)] = 3.0

    def parameters(self) -> dict[str, Any]:
        """Parameters of a job: sigma in mm."""
        return {"sigma_mm": self.sigma_mm}

    def fingerprint(self) -> str:
        """Text that changes with sigma."""
        return f"blur sigma_mm={self.sigma_mm!r}"

    def in_words(self) -> dict[str, str]:
        """Settings for the page of models: sigma."""
        return {"Sigma": f"{self.sigma_mm} mm"}


KIND = Kind("blur", BlurSettings, RULES_3D, program="pipeline.blur_pipeline:run_blur")
