"""A small network with random weights, and the samples that carry contours."""

from pathlib import Path

import pytest
import torch

from model.inference.checkpoint import save_checkpoint
from model.inference.predict import UnetSegmenter, load_segmenter
from model.inference.structure import Structure
from model.inference.unet import UNet
from model.inference.unet_card import Postprocessing, UnetCard

ROOT = Path(__file__).parent.parent.parent
SUNNYBROOK = ROOT / "samples" / "sunnybrook"
SHIPPED = ROOT / "model" / "shipped" / "left_ventricle.ckpt"


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small images on busy machines are quicker without threads that wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_card() -> UnetCard:
    """Two structures, three levels, all eight views, 2 mm."""
    return UnetCard(
        name="small",
        version="1",
        intended_use="demonstration",
        structures=(
            Structure("Inner", (230, 159, 0), "ORGAN"),
            Structure("Outer", (0, 114, 178), "ORGAN"),
        ),
        finishing=(Postprocessing(fill_holes=True), Postprocessing(without=("Inner",))),
        encoder_widths=(4, 6, 8),
        working_spacing_mm=2.0,
        percentiles=(1.0, 99.0),
        modalities=("MR",),
        pixel_spacing_range_mm=(0.5, 3.0),
        views=8,
        training_fingerprint="0" * 64,
        training_instances=0,
    )


@pytest.fixture(scope="session")
def small_checkpoint(small_card: UnetCard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`small_card` with random weights, in a file."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("model") / "small.ckpt"
    network = UNet(small_card.encoder_widths, len(small_card.structures))
    save_checkpoint(path, small_card, network.state_dict())
    return path


@pytest.fixture(scope="session")
def small_segmenter(small_checkpoint: Path) -> UnetSegmenter:
    """`small_checkpoint`, loaded."""
    return load_segmenter(small_checkpoint)
