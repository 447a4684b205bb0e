"""Hand-drawn contours on the sent instances, from text files or a structure set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ContourError
from imaging.contours.filling import border_excess
from imaging.contours.findings import summarise
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.contours.text_contours import find_text_contours, read_text_contour
from imaging.contours.tracing import mask_to_polygons
from imaging.instances.header import Header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import RoiMask, iterate_masks
from imaging.series.series import is_image
from simulator.returned_contours import Contours

Mask = npt.NDArray[np.bool_]

INNER, OUTER, RING = "i", "o", "o-i"
"""Names of structures from text contours: inner, outer, and the ring between them."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Hand-drawn structures by name, then by SOP Instance UID."""

    masks: dict[str, dict[str, Mask]] = field(default_factory=dict)
    """Masks [row, column]; without instances on which the structure is unknown."""
    contours: Contours = field(default_factory=dict)
    """The same as polygons (n, 2) of (column, row)."""
    default_map: dict[str, str] = field(default_factory=dict)
    """Names of structures here to the expected names of returned ones."""
    findings: list[str] = field(default_factory=list)
    """Unusual findings while placing the contours, as text."""


def read_truth(path: Path, sent: Sequence[Header]) -> Truth:
    """Read the truth from `path`: a folder of text contours, or a structure set or its folder.

    A text contour belongs to the instance in the file `<its number>.dcm`.

    Raises:
        ContourError: there is none, it cannot be read, or fits no sent instance.
    """
    texts = find_text_contours(path) if path.is_dir() else []
    truth = _from_texts(path, sent) if texts else _from_structure_set(path, sent)
    if not any(truth.masks.values()):
        raise ContourError(f"{path}: holds no contour of an instance that is sent")
    return truth


def _from_texts(path: Path, sent: Sequence[Header]) -> Truth:
    headers = _by_number(sent)
    truth = Truth(default_map={INNER: "LV_Endocardium"})
    absent = 0
    for text in find_text_contours(path):
        header = headers.get(text.number)
        if header is None:
            absent += 1
            continue
        polygon = read_text_contour(text.path)
        shape = (header.rows, header.columns)
        mask = polygons_to_mask([polygon], shape)
        beyond = border_excess(polygon, shape)
        if beyond is not None:
            truth.findings.append(f"{text.path.name} {beyond[0]}")
        uid = header.sop_instance_uid
        if uid in truth.masks.get(text.kind, {}):
            raise ContourError(f"{text.path}: a second {text.kind}-contour of {text.number}.dcm")
        truth.masks.setdefault(text.kind, {})[uid] = mask
        truth.contours.setdefault(text.kind, {})[uid] = [polygon]
    if absent:
        truth.findings.append(f"{absent} text contours of images that are not sent, left out")
    _add_ring(truth)
    return truth


def _by_number(sent: Sequence[Header]) -> dict[int, Header]:
    headers: dict[int, Header] = {}
    for header in sent:
        name = header.path.stem
        if name.isdecimal() and headers.setdefault(int(name), header) is not header:
            raise ContourError(f"two files named {name}: expected one that contours belong to")
    if len({(header.rows, header.columns) for header in headers.values()}) > 1:
        raise ContourError("images of different sizes: expected one size that contours belong to")
    return headers


def _add_ring(truth: Truth) -> None:
    inner, outer = truth.masks.get(INNER, {}), truth.masks.get(OUTER, {})
    for uid in inner.keys() & outer.keys():
        truth.masks.setdefault(RING, {})[uid] = outer[uid] & ~inner[uid]
        both = [*truth.contours[INNER][uid], *truth.contours[OUTER][uid]]
        truth.contours.setdefault(RING, {})[uid] = both


def _from_structure_set(path: Path, sent: Sequence[Header]) -> Truth:
    files = sorted(path.rglob("*.dcm")) if path.is_dir() else [path]
    if len(files) != 1:
        raise ContourError(
            f"{path}: expected text contours or one structure set, found {len(files)} .dcm files"
        )
    structure_set = read_structure_set(files[0])
    truth = Truth(default_map={roi.name: roi.name for roi in structure_set.rois})
    best = 0
    for headers in _image_series(sent):
        drawn = list(iterate_masks(structure_set, headers))
        size = sum(int(one.mask.sum()) for one in drawn)
        if size > best:
            best = size
            truth.masks.update({one.name: _by_instance(one, headers) for one in drawn})
            findings = [finding for one in drawn for finding in one.findings]
            truth.findings[:] = summarise([*structure_set.findings, *findings])
    for name, by_uid in truth.masks.items():
        truth.contours[name] = {
            uid: mask_to_polygons(mask) for uid, mask in by_uid.items() if mask.any()
        }
    return truth


def _image_series(sent: Sequence[Header]) -> list[list[Header]]:
    groups: dict[str, list[Header]] = {}
    for header in sent:
        if is_image(header) and header.image_position_mm is not None:
            groups.setdefault(header.series_instance_uid, []).append(header)
    return list(groups.values())


def _by_instance(drawn: RoiMask, headers: Sequence[Header]) -> dict[str, Mask]:
    """Masks by SOP Instance UID, without instances on which the structure is unknown."""
    unknown = drawn.unknown.skipped | drawn.unknown.undecided
    uids = [header.sop_instance_uid for header in headers]
    pairs = enumerate(zip(uids, drawn.mask, strict=True))
    return {uid: mask for at, (uid, mask) in pairs if at not in unknown}
