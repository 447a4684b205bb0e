"""Kind `unet`: segmentation by a UNet checkpoint."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from core.errors import ModelError
from imaging.geometry.rules import RULES_2D
from model.inference.card_file import read_card
from pipeline.kind import Kind
from pipeline.segmentation.settings import PROGRAM, SegmentationSettings

SHIPPED_CHECKPOINT = Path(__file__).parents[2] / "model" / "shipped" / "left_ventricle.ckpt"


class UnetSettings(SegmentationSettings):
    """Checkpoint of the model, and how its structures are written."""

    kind: Literal["unet"] = "unet"
    checkpoint_path: Path = SHIPPED_CHECKPOINT

    def roi_names(self, card: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Names of the structures in results; without `card`, the one in the file counts."""
        if card is None:
            try:
                card = asdict(read_card(self.checkpoint_path))
            except ModelError:  # whoever loads the model says why
                return super().roi_names()
        return super().roi_names(card)


KIND = Kind(
    "unet",
    UnetSettings,
    RULES_2D,
    program=PROGRAM,
    segmenter="model.inference.predict:load_segmenter",
)
