"""What every peer's script does around its own reader; runs in the peer's environment."""

import sys
from pathlib import Path

import numpy as np


def for_each_case(read):
    """`SCRIPT ROOT OUTPUT ROI`: read every case below ROOT and leave OUTPUT/FORM/CASE.npy or .txt.

    A case is a folder ROOT/FORM/CASE with `images` and `structure_set.dcm`. `read` returns the
    mask [slice, row, column], slices along the normal; what it raises becomes the .txt.
    """
    root, output, roi_name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    for structure_set in sorted(root.glob("*/*/structure_set.dcm")):
        case = structure_set.parent
        target = output / case.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            mask = np.asarray(read(case / "images", structure_set, roi_name)) > 0
        except Exception as error:  # noqa: BLE001, what a reader raises is its answer
            target.with_suffix(".txt").write_text(f"{type(error).__name__}: {error}")
        else:
            np.save(target.with_suffix(".npy"), mask)
