"""Segmentation by a level: the kind of pipeline that the test adds, in one file."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from core.job import Report
from imaging.geometry.rules import RULES_2D
from imaging.instances.header import Header
from model.inference.card import CLINICAL, ModelCard
from model.inference.segmenter import Mask
from model.inference.structure import Structure
from pipeline.kind import Kind
from pipeline.segmentation.settings import PROGRAM, SegmentationSettings


class BrightSettings(SegmentationSettings):
    """A file with a level."""

    kind: Literal["bright"] = "bright"


@dataclass(frozen=True)
class BrightSegmenter:
    """Draws what is brighter than its level."""

    card: ModelCard
    sha256: str
    level: float

    def check_fits(self, headers: Sequence[Header]) -> None:
        """Nothing, for a series of one of the modalities on the card."""
        for header in headers:
            if header.modality not in self.card.modalities:
                raise ModelError(f"Model 'Level' expects CT, found {header.modality}")

    def predict(
        self,
        images: npt.NDArray[np.float32],
        pixel_spacing_mm: tuple[float, float],
        report: Report | None = None,
    ) -> dict[str, Mask]:
        """One mask."""
        return {"Bright": images > self.level}

    def remarks(self, masks: Mapping[str, Mask]) -> list[str]:
        """Always one."""
        return ["Bright: drawn by level alone"]


def load(path: Path) -> BrightSegmenter:
    """The model in a JSON file."""
    try:
        content = path.read_bytes()
        level = float(json.loads(content)["level"])
    except (OSError, ValueError, LookupError) as error:
        raise ModelError(f"{path.name}: has no level") from error
    card = ModelCard(
        name="Level",
        version="7",
        intended_use=CLINICAL,
        structures=(Structure("Bright", (230, 159, 0), "ORGAN"),),
        modalities=("CT",),
        pixel_spacing_range_mm=(0.1, 5.0),
        training_fingerprint="none",
        training_instances=0,
    )
    return BrightSegmenter(card, hashlib.sha256(content).hexdigest(), level)


KIND = Kind("bright", BrightSettings, RULES_2D, PROGRAM, "pipeline.kinds.bright:load")
