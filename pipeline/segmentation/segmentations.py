"""DICOM Segmentations beside a structure set: written from masks, read back and checked."""

from dataclasses import replace

from core.errors import SegmentationError
from core.identity import Provenance
from core.job import OutputInstance
from imaging.seg.reader import read_segmentation
from imaging.seg.writer import Algorithm, build_segmentation, check_frame_of_reference
from pipeline.checks import check_segmentation
from pipeline.segmentation.structure_sets import LABEL, Content, Headers, phases_of
from pipeline.task import Task
from pipeline.workspace import write_instance


def write_segmentations(
    task: Task, content: Content, algorithm: Algorithm, *, pipeline: str, description: str
) -> list[OutputInstance]:
    """Write a segmentation for each phase in which something was found, if configured.

    One for each phase even if `phases` is `together`, as viewers overlay frames of one position.
    If DICOM allows none for the series (no common frame of reference), a warning is added.

    Raises:
        ContourError: a text cannot be encoded.
        OutputError: a written segmentation fails its checks.
    """
    if not task.request.parameters.get("segmentation"):
        return []
    try:
        check_frame_of_reference(task.placement.headers)
    except SegmentationError as error:
        task.warnings.append(f"No segmentation: {error}")
        task.findings["segmentation"] = {"instances": 0, "reason": str(error)}
        return []
    words = replace(task.provenance, pipeline=pipeline), description
    outputs = [
        _write(task, (phase, headers, Content(masks, content.rois)), algorithm, words)
        for phase, headers, masks in phases_of(task, content.masks)
        if any(mask.any() for mask in masks.values())
    ]
    task.findings["segmentation"] = {"instances": len(outputs)}
    return outputs


def _write(
    task: Task,
    part: tuple[int | None, Headers, Content],
    algorithm: Algorithm,
    words: tuple[Provenance, str],
) -> OutputInstance:
    phase, headers, content = part
    provenance, description = words
    data_set = build_segmentation(
        headers,
        content.masks,
        content.rois,
        provenance,
        algorithm=algorithm,
        label=LABEL,
        description=description,
        phase=phase,
    )
    output = write_instance(data_set, task.folder)
    masks = {roi.name: content.masks[roi.name] for roi in content.rois}
    check_segmentation(read_segmentation(task.folder / output.path), headers, masks)
    return output
