"""A ring that is not drawn where what it surrounds is: the job's result says so."""

from pathlib import Path

import numpy as np
import pytest

from model.inference.predict import UnetSegmenter
from tests.support.checkpoints import one_view_checkpoint
from tests.support.jobs import request_for, run


def test_a_ring_that_is_nowhere_near_is_left_out_and_told(
    tmp_path: Path, cine_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    layers = np.zeros((4, 2, 256, 256), np.float32)
    layers[:, 0, 100:140, 100:140] = 0.9
    layers[:, 1, 90:150, 90:150] = 0.6
    layers[1:3, 1, 90:150, 90:150] = 0.0
    layers[1:3, 1, 20:80, 180:240] = 0.9  # another organ
    monkeypatch.setattr(UnetSegmenter, "probabilities", lambda *_: layers)
    result = run(request_for(paths, tmp_path, "unet", {"checkpoint_path": one_view_checkpoint()}))
    assert (
        "LV_Myocardium: on 2 of 4 images nothing was found around LV_Endocardium, and none is drawn"
    ) in result.warnings
    assert result.summary == "contours of LV_Endocardium on 4, LV_Myocardium on 2 of 4 images"
