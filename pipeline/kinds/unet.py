"""Kind `unet`: segmentation by a UNet checkpoint."""

from pathlib import Path
from typing import Literal

from imaging.geometry.rules import RULES_2D
from pipeline.kind import Kind
from pipeline.segmentation.settings import PROGRAM, SegmentationSettings

SHIPPED_CHECKPOINT = Path(__file__).parents[2] / "model" / "shipped" / "left_ventricle.ckpt"


class UnetSettings(SegmentationSettings):
    """Checkpoint of the model, and how its structures are written."""

    kind: Literal["unet"] = "unet"
    checkpoint_path: Path = SHIPPED_CHECKPOINT


KIND = Kind(
    "unet",
    UnetSettings,
    RULES_2D,
    program=PROGRAM,
    segmenter="model.inference.predict:load_segmenter",
)
