"""A folder of DICOM with text contours and a link table, as Sunnybrook Cardiac Data has it.

    dicoms/<patient>/<n>.dcm
    contourfiles/<original id>/{i,o}-contours/IM-0001-<n>-{i,o}contour-manual.txt
    link.csv                      patient_id,original_id

i-contours are the endocardium (blood pool), o-contours the epicardium; the myocardium is the ring
between them, and unknown on an instance that has no o-contour.
"""

import csv
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ConfigurationError, ContourError, NotADataSetError, PixelError
from imaging.header import read_header
from imaging.masks import polygons_to_mask
from imaging.pixels import read_pixels
from imaging.text_contours import TextContour, find_text_contours, read_text_contour
from model.samples import Defect, Sample, SampleEntry, SamplesInMemory, digest_of
from model.structure import Structure

Mask = npt.NDArray[np.bool_]
ENDOCARDIUM = Structure("LV_Endocardium", (230, 159, 0), "ORGAN")
MYOCARDIUM = Structure("LV_Myocardium", (0, 114, 178), "ORGAN")
"""Orange and blue of Okabe and Ito, told apart by colour-blind eyes."""
STRUCTURES = (ENDOCARDIUM, MYOCARDIUM)
_MOST_OUTSIDE = 0.05
"""Share of the endocardium that hand-drawn contours may leave outside the epicardium."""


def read_sunnybrook(folder: Path) -> SamplesInMemory:
    """Every instance below `folder` that has a usable i-contour, and what was left out.

    Raises:
        ConfigurationError: no readable link.csv, or one that names a patient twice.
    """
    samples: list[Sample] = []
    defects: list[Defect] = []
    for patient, original in sorted(_read_links(folder / "link.csv").items()):
        contours = find_text_contours(folder / "contourfiles" / original)
        _read_patient(folder / "dicoms" / patient, contours, samples, defects)
    return SamplesInMemory(STRUCTURES, samples, defects)


def _read_links(path: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(row["patient_id"], row["original_id"]) for row in csv.DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{path}: expected a readable table with columns patient_id,original_id"
        ) from error
    links = dict(rows)
    if len(links) < len(rows):
        raise ConfigurationError(f"{path}: a patient_id stands in two rows, expected each once")
    return links


def _read_patient(
    dicoms: Path, contours: list[TextContour], samples: list[Sample], defects: list[Defect]
) -> None:
    paths: dict[int, dict[str, Path]] = {}
    for contour in contours:
        paths.setdefault(contour.number, {})[contour.kind] = contour.path
    for number, by_kind in sorted(paths.items()):
        key = f"{dicoms.name}/{number}"
        try:
            sample, reason = _read_sample(key, dicoms / f"{number}.dcm", by_kind)
        except (ContourError, PixelError, NotADataSetError) as error:
            defects.append(Defect(key, str(error)))
            continue
        samples.append(sample)
        if reason:
            defects.append(Defect(key, reason))


def _read_sample(key: str, instance: Path, by_kind: dict[str, Path]) -> tuple[Sample, str]:
    """The sample, and why its o-contour was left out (empty when it was not).

    Raises:
        ContourError: no i-contour, or none of it lies on the image, or no image for it.
    """
    if not instance.is_file():
        raise ContourError(f"contour without its image {instance.name}")
    if "i" not in by_kind:
        raise ContourError("o-contour without an i-contour")
    with warnings.catch_warnings():
        # UIDs of this data set break the rule against leading zeros.
        warnings.simplefilter("ignore", UserWarning)
        header = read_header(instance)
    if header.pixel_spacing_mm is None:
        raise ContourError(f"instance {header.sop_instance_uid} has no pixel spacing")
    image = read_pixels(instance)[0]
    shape = (image.shape[0], image.shape[1])
    masks = {kind: _read_mask(path, shape) for kind, path in by_kind.items()}
    reason = _contradiction(masks)
    if reason:
        del masks["o"]
    layers, known = _layers(masks), (True, "o" in masks)
    entry = SampleEntry(
        key=key,
        patient=key.split("/", maxsplit=1)[0],
        series=header.series_instance_uid,
        index=0,
        shape=shape,
        pixel_spacing_mm=header.pixel_spacing_mm,
        known=known,
        modality=header.modality,
        digest=digest_of(image, layers, known, header.pixel_spacing_mm),
    )
    sample = Sample(entry, image, layers)
    return sample, reason


def _read_mask(path: Path, shape: tuple[int, int]) -> Mask:
    mask = polygons_to_mask([read_text_contour(path)], shape)
    if not mask.any():
        raise ContourError(f"{path.name}: the contour covers no pixel of its image")
    return mask


def _contradiction(masks: dict[str, Mask]) -> str:
    """Why an o-contour cannot belong to its i-contour; empty when it can."""
    if "o" not in masks:
        return ""
    outside = float((masks["i"] & ~masks["o"]).sum() / masks["i"].sum())
    if outside <= _MOST_OUTSIDE:
        return ""
    return (
        f"o-contour left out: {outside:.0%} of the i-contour's area lies outside it, "
        f"expected at most {_MOST_OUTSIDE:.0%}"
    )


def _layers(masks: dict[str, Mask]) -> Mask:
    """[structure, row, column]: endocardium, and the ring around it where that is known."""
    endocardium = masks["i"]
    ring = masks["o"] & ~endocardium if "o" in masks else np.zeros_like(endocardium)
    return np.stack([endocardium, ring])
