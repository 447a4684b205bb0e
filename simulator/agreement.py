"""Agreement of returned contours with hand-drawn ones, structure by structure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ContourError
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.metrics import dice, hausdorff_95_mm
from simulator.returned_contours import Contours
from simulator.truth import Truth

Mask = npt.NDArray[np.bool_]
_SAME_POSITION_MM = 0.01


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a hand-drawn structure with the returned one paired with it."""

    truth_name: str
    structure: str
    instances: int
    """Number of instances compared: those with hand-drawn contours."""
    dice: float
    """Dice over all these instances together."""
    hausdorff_95_mm: float
    """Distance in the volume, in mm; if instances share positions, the mean over single images."""


def compare(
    truth: Truth, returned: Contours, sent: Mapping[str, Header], names: Mapping[str, str]
) -> list[Agreement]:
    """Compare returned with hand-drawn contours, on the instances that have the latter.

    Args:
        truth: hand-drawn contours.
        returned: contours that the node sent back.
        sent: headers of the sent instances, by SOP Instance UID.
        names: structures of `truth` to those of `returned`; empty for the default pairs.

    Raises:
        ContourError: `truth` lacks a name, or no structures can be paired.
    """
    agreements = []
    for truth_name, structure in _pairs(truth, returned, names).items():
        drawn = truth.masks[truth_name]
        headers = [sent[uid] for uid in drawn]
        first = np.stack(list(drawn.values()))
        second = np.stack([_mask(returned.get(structure, {}), header) for header in headers])
        distance_mm = _distance_mm(first, second, headers)
        overlap = dice(first, second)
        agreements.append(Agreement(truth_name, structure, len(headers), overlap, distance_mm))
    return agreements


def _pairs(truth: Truth, returned: Contours, names: Mapping[str, str]) -> dict[str, str]:
    unknown = [name for name in names if name not in truth.masks]
    if unknown:
        raise ContourError(
            f"--map {unknown[0]}: the truth has no such structure, only {_listed(truth.masks)}"
        )
    if names:
        return dict(names)
    if len(truth.masks) == 1 and len(returned) == 1:
        return {next(iter(truth.masks)): next(iter(returned))}
    known = {name.casefold(): name for name in returned}
    expected = {name: truth.default_map.get(name, "") for name in truth.masks}
    pairs = {name: known.get(want.casefold(), "") for name, want in expected.items()}
    pairs = {name: found for name, found in pairs.items() if found}
    if not pairs:
        raise ContourError(
            f"no returned structure ({_listed(returned)}) can be paired with one of the truth "
            f"({_listed(truth.masks)}); name the pairs with --map"
        )
    return pairs


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "none"


def _mask(by_instance: Mapping[str, Sequence[npt.NDArray[np.float64]]], header: Header) -> Mask:
    polygons = by_instance.get(header.sop_instance_uid, [])
    return polygons_to_mask(polygons, (header.rows, header.columns))


def _distance_mm(first: Mask, second: Mask, headers: Sequence[Header]) -> float:
    spacing_mm = headers[0].pixel_spacing_mm or (1.0, 1.0)
    normal = plane_of(headers[0]).normal
    positions = np.array([plane_of(header).origin_mm @ normal for header in headers])
    order = np.argsort(positions)
    steps = np.diff(positions[order])
    if len(steps) > 0 and steps.min() > _SAME_POSITION_MM:
        volume_spacing = (float(np.median(steps)), *spacing_mm)
        return hausdorff_95_mm(first[order], second[order], volume_spacing)
    pairs = zip(first, second, strict=True)
    planes = [hausdorff_95_mm(one, other, spacing_mm) for one, other in pairs]
    return float(np.mean(planes))
