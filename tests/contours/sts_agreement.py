"""Structure sets of the IBSI soft-tissue sarcoma set against the masks that were published beside.

`python -m tests.contours.sts_agreement FOLDER` prints a row for each patient in FOLDER, laid out as
the publishers have it (`STS_nnn/CT/image`, `STS_nnn/CT/mask`, `STS_nnn/CT_mask.nii.gz`).
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imaging.contours.findings import Finding
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header, read_header
from imaging.metrics import dice
from imaging.rtstruct.reader import StructureSet, read_structure_set
from imaging.rtstruct.to_masks import to_masks
from tests.support.nifti import read_nifti_mask

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """One patient's structure set, read, beside the published mask on the same instances."""

    structure_set: StructureSet
    headers: list[Header]
    ours: Mask
    theirs: Mask
    findings: list[Finding]

    @property
    def different(self) -> int:
        """Voxels that one mask has and the other has not."""
        return int((self.ours != self.theirs).sum())


def compare(images: Path, structure_set: Path, nifti: Path) -> Agreement:
    """Read all three; the NIfTI voxels are found by their place in the patient alone."""
    headers = [read_header(path) for path in sorted(images.glob("*.dcm"))]
    read = read_structure_set(structure_set)
    masks, findings = to_masks(read, headers)
    (ours,) = masks.values()
    return Agreement(read, headers, ours, _on_instances(nifti, headers), findings)


def _on_instances(nifti: Path, headers: list[Header]) -> Mask:
    voxels, to_lps = read_nifti_mask(nifti)
    indices = np.argwhere(voxels)
    places_mm = indices @ to_lps[:, :3].T + to_lps[:, 3]
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    for index, header in enumerate(headers):
        pixels, distances_mm = plane_of(header).to_pixels(places_mm)
        on_plane = np.abs(distances_mm) < 0.01
        column, row = np.round(pixels[on_plane]).astype(int).T
        assert np.abs(pixels[on_plane] - np.round(pixels[on_plane])).max(initial=0) < 0.01
        mask[index, row, column] = True
    assert mask.sum() == voxels.sum()
    return mask


def _row(patient: Path) -> str:
    found = compare(
        patient / "CT" / "image",
        next((patient / "CT" / "mask").glob("*.dcm")),
        patient / "CT_mask.nii.gz",
    )
    contours = sum(len(roi.contours) for roi in found.structure_set.rois)
    points = sum(len(one.points_mm) for roi in found.structure_set.rois for one in roi.contours)
    kinds = Counter(finding.kind.name for finding in found.findings)
    far_mm = max((finding.distance_mm or 0.0 for finding in found.findings), default=0.0)
    cells = [
        patient.name,
        len(found.headers),
        f"{contours} / {points}",
        int(found.theirs.sum()),
        int(found.ours.sum()),
        found.different,
        f"{dice(found.ours, found.theirs):.6f}",
        ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        f"{far_mm:.4f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    for folder in sorted(Path(sys.argv[1]).glob("STS_*")):
        sys.stdout.write(_row(folder) + "\n")
