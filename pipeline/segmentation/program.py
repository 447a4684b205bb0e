"""Program of all kinds that segment: writes structure sets, and segmentations if configured."""

import pkgutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.job import JobResult, OutputInstance
from imaging.geometry.plane import plane_of
from imaging.hdf5.volume_file import read_volume_hdf5, write_volume_hdf5
from imaging.instances.header import Header
from imaging.metrics import volume_ml
from imaging.pictures import Outline, Panel, choose_panels, overview_picture, write_png
from imaging.rtstruct.reader import StructureSet
from imaging.rtstruct.roi_names import spelling_warnings
from imaging.rtstruct.writer import Roi
from imaging.seg.writer import Algorithm
from imaging.series.volume import read_images
from model.inference.card import DEMONSTRATION, ModelCard
from model.inference.segmenter import Segmenter
from pipeline.kind import kind_named
from pipeline.segmentation.segmentations import write_segmentations
from pipeline.segmentation.structure_sets import (
    Content,
    check_configured,
    names_written,
    with_changes,
    with_configured_rois,
    write_structure_sets,
)
from pipeline.task import Task
from pipeline.workspace import OVERVIEW_FILE, VOLUME_FILE

Masks = dict[str, npt.NDArray[np.bool_]]
_MOST_PANELS = 12
_UNCOLOURED = (255, 255, 0)


def run_segmentation(task: Task) -> JobResult:
    """Segment all instances and write all structures of the model.

    Raises:
        SlicewireError: the model does not fit the series, finds nothing, or the structure set
            fails its checks.
    """
    headers = task.placement.headers
    task.report(0.0, "the model is loaded")
    with task.stopwatch.measure("load model"):
        segmenter = _segmenter(task)
        segmenter.check_fits(headers)
        check_configured(_rois(segmenter), task.request.parameters)
    names = [roi.name for roi in with_changes(_rois(segmenter), task.request.parameters)]
    task.warnings += spelling_warnings(headers[0].path, names)
    with task.stopwatch.measure("read"):
        images = read_images(headers, task.part(0.0, 0.05))
    task.report(0.05, "the volume is written")
    with task.stopwatch.measure("pictures"):  # before there are masks, for memory
        write_volume_hdf5(
            task.folder / VOLUME_FILE,
            images,
            headers,
            slice_spacing_mm=task.placement.slice_spacing_mm,
        )
    with task.stopwatch.measure("compute"):
        masks = segmenter.predict(images, _spacing(headers[0]), task.part(0.1, 0.9))
    del images  # else what composes the results comes on top of it
    task.warnings += segmenter.remarks(masks)
    content = with_configured_rois(Content(masks, _rois(segmenter)), task.request.parameters)
    task.report(0.9, "contours are drawn, written and checked")
    with task.stopwatch.measure("write"):
        outputs, structure_sets = _write(task, segmenter, content)
    task.report(0.95, "pictures are made")
    with task.stopwatch.measure("pictures"):
        panels = _panels(structure_sets, headers, task.folder / VOLUME_FILE)
        write_png(overview_picture(panels), task.folder / OVERVIEW_FILE)
    _describe(task, segmenter, content)
    return task.result(
        outputs,
        _summary(content.masks),
        has_structure_set=True,
        look_first=_review_reason(segmenter.card),
    )


def _review_reason(card: ModelCard) -> str:
    if card.intended_use != DEMONSTRATION:
        return ""
    return f"model {card.name} is for demonstration: a person looks at what leaves this machine"


def _rois(segmenter: Segmenter) -> tuple[Roi, ...]:
    return tuple(
        Roi(structure.name, structure.color_rgb, structure.interpreted_type)
        for structure in segmenter.card.structures
    )


def _segmenter(task: Task) -> Segmenter:
    """Model of the job, loaded once per worker and again if its file changes."""
    path, loader = Path(task.request.parameters["checkpoint_path"]), _loader(task)
    stat = path.stat() if path.exists() else None
    key = f"{loader} {path} {stat and (stat.st_mtime_ns, stat.st_size)}"
    if key not in task.cache:
        task.cache[key] = pkgutil.resolve_name(loader)(path)
    segmenter: Segmenter = task.cache[key]
    return segmenter


def _loader(task: Task) -> str:
    return kind_named(task.request.kind).segmenter


def _spacing(header: Header) -> tuple[float, float]:
    column, row = plane_of(header).column_step_mm, plane_of(header).row_step_mm
    return float(np.linalg.norm(row)), float(np.linalg.norm(column))


def _write(
    task: Task, segmenter: Segmenter, content: Content
) -> tuple[list[OutputInstance], list[StructureSet]]:
    """Write all results, structure sets last; returns them in order of sending, and the sets."""
    card = segmenter.card
    words = {
        "pipeline": f"{task.request.pipeline}: model {card.name} {card.version}, "
        f"SHA-256 {segmenter.sha256}, training data {card.training_fingerprint}",
        "description": f"AI contours, unapproved: {card.name} {card.version}",
    }
    segmentations = write_segmentations(
        task, content, Algorithm(card.name, f"{card.version} {segmenter.sha256[:16]}"), **words
    )
    outputs, structure_sets = write_structure_sets(task, content, **words)
    return [*segmentations, *outputs], structure_sets


def _panels(
    structure_sets: list[StructureSet],
    headers: tuple[Header, ...],
    volume: Path,
) -> list[Panel]:
    """Images with their contours, both as read back from the files that were written."""
    outlines: dict[tuple[str, int | None], list[Outline]] = {}
    planes = {header.image: plane_of(header) for header in headers}
    for roi in (roi for structure_set in structure_sets for roi in structure_set.rois):
        for contour in roi.contours:
            pixels, _ = planes[contour.image].to_pixels(contour.points_mm)
            outlines.setdefault(contour.image, []).append(
                Outline(pixels, roi.color_rgb or _UNCOLOURED)
            )
    row_mm, column_mm = _spacing(headers[0])
    drawn = [i for i, header in enumerate(headers) if header.image in outlines]
    return [
        Panel(
            read_volume_hdf5(volume, drawn[pick]),
            outlines[headers[drawn[pick]].image],
            f"instance {headers[drawn[pick]].instance_number}",
            aspect=row_mm / column_mm,
        )
        for pick in choose_panels(len(drawn), _MOST_PANELS)
    ]


def _describe(task: Task, segmenter: Segmenter, content: Content) -> None:
    card, header = segmenter.card, task.placement.headers[0]
    spacing = (task.placement.slice_spacing_mm or 1.0, *_spacing(header))
    task.findings["model"] = {
        "name": card.name,
        "version": card.version,
        "sha256": segmenter.sha256,
        "intended_use": card.intended_use,
        "training_data": card.training_fingerprint,
    }
    written = names_written(task, content.rois)
    task.findings["structures"] = {
        name: {
            "written_as": written[name],
            "instances": int(mask.any(axis=(1, 2)).sum()),
            "volume_ml_by_phase": [
                round(volume_ml(phase, spacing), 2) for phase in _by_phase(task, mask)
            ],
        }
        for name, mask in content.masks.items()
    }


def _by_phase(task: Task, mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.bool_]]:
    ends = np.cumsum([len(phase) for phase in task.placement.phases])[:-1]
    return list(np.split(mask, ends))


def _summary(masks: Masks) -> str:
    found = [f"{name} on {int(mask.any(axis=(1, 2)).sum())}" for name, mask in masks.items()]
    total = len(next(iter(masks.values())))
    return f"contours of {', '.join(found)} of {total} images"
