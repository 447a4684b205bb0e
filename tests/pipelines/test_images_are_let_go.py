"""A segmentation lets go of the images before it composes results, so that it holds no more."""

import weakref
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from core.job import Report
from imaging.instances.header import Header
from model.inference.card import CLINICAL, ModelCard
from model.inference.segmenter import Mask
from model.inference.structure import Structure
from pipeline.entry import run_job
from tests.support.jobs import request_for

_CARD = ModelCard(
    name="Box",
    version="1",
    intended_use=CLINICAL,
    structures=(Structure("Box", (255, 0, 0), "ORGAN"),),
    modalities=("CT",),
    pixel_spacing_range_mm=(0.1, 9.0),
    training_fingerprint="",
    training_instances=0,
)


@dataclass
class WatchingSegmenter:
    """Draws a box, and sees whether the images are still in memory after it has drawn."""

    card: ModelCard = _CARD
    sha256: str = "0" * 64
    given: npt.NDArray[np.float32] | None = None
    images: "weakref.ref[npt.NDArray[np.float32]] | None" = None
    held: list[bool] = field(default_factory=list)

    def check_fits(self, headers: Sequence[Header]) -> None:
        """Every series fits."""

    def predict(
        self,
        images: npt.NDArray[np.float32],
        pixel_spacing_mm: tuple[float, float],
        report: Report | None = None,
    ) -> dict[str, Mask]:
        """A box on every image."""
        self.images, self.given = weakref.ref(images), images.copy()
        mask = np.zeros(images.shape, np.bool_)
        mask[:, 20:60, 30:90] = True
        return {"Box": mask}

    def remarks(self, masks: Mapping[str, Mask]) -> list[str]:
        """None; this is asked for between drawing and writing."""
        assert self.images is not None
        self.held.append(self.images() is not None)
        return []


class _Loaded(dict[str, Any]):
    """Cache of a worker that has loaded the model, whatever its key."""

    def __init__(self, segmenter: WatchingSegmenter) -> None:
        super().__init__()
        self._segmenter = segmenter

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> WatchingSegmenter:
        return self._segmenter


def test_the_images_are_gone_when_results_are_composed_and_in_the_volume_file(
    ct_folder: Path, tmp_path: Path
) -> None:
    segmenter = WatchingSegmenter()
    cache: MutableMapping[str, Any] = _Loaded(segmenter)
    paths = sorted(ct_folder.glob("*.dcm"))[:4]
    request = request_for(paths, tmp_path, "unet", {"checkpoint_path": str(tmp_path / "none")})
    run_job(request, lambda *_: None, cache)
    assert segmenter.held == [False]
    with h5py.File(Path(request.output_dir, "volume.h5")) as file:
        assert segmenter.given is not None
        assert np.array_equal(file["voxels"], segmenter.given)
