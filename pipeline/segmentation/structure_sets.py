"""Structure sets of a job: written from masks, read back and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ContourError
from core.identity import Provenance
from core.job import OutputInstance
from imaging.instances.header import Header
from imaging.rtstruct.reader import StructureSet, read_structure_set
from imaging.rtstruct.roi_names import names_for
from imaging.rtstruct.target_systems import Variant, fit_names, name_faults, variant_of
from imaging.rtstruct.writer import Roi, build_structure_set
from pipeline.checks import check_structure_set
from pipeline.task import Task
from pipeline.workspace import write_instance

Masks = dict[str, npt.NDArray[np.bool_]]
Headers = tuple[Header, ...]
LABEL = "SLICEWIRE"
"""Label of structure sets and segmentations, before phase and revision."""


@dataclass(frozen=True, slots=True)
class Content:
    """Masks and ROIs of a job."""

    masks: Masks
    """[instance, row, column] by ROI name, in the order of the job's headers."""
    rois: tuple[Roi, ...]


def with_configured_rois(content: Content, parameters: Mapping[str, Any]) -> Content:
    """Apply names, colours and types from `structures` of the pipeline's configuration.

    Raises:
        ContourError: the configuration names a structure that the model lacks.
    """
    check_configured(content.rois, parameters)
    known = [roi.name for roi in content.rois]
    rois = with_changes(content.rois, parameters)
    masks = {
        roi.name: content.masks[name] for roi, name in zip(rois, known, strict=True)
    }  # equal names are refused by the writer
    return Content(masks, rois)


def with_changes(rois: Sequence[Roi], parameters: Mapping[str, Any]) -> tuple[Roi, ...]:
    """ROIs with names, colours and types from `structures` of the pipeline's configuration."""
    changes: Mapping[str, Mapping[str, Any]] = parameters.get("structures", {})
    return tuple(_changed(roi, changes.get(roi.name, {})) for roi in rois)


def check_configured(rois: Sequence[Roi], parameters: Mapping[str, Any]) -> None:
    """Check that all structures named in the configuration are among `rois`.

    Raises:
        ContourError: the configuration names a structure that the model lacks.
    """
    known = [roi.name for roi in rois]
    unknown = [name for name in parameters.get("structures", {}) if name not in known]
    if unknown:
        raise ContourError(
            f"structures: the model draws no {unknown[0]!r}, expected one of {', '.join(known)}"
        )


def write_structure_sets(
    task: Task, content: Content, *, pipeline: str, description: str
) -> tuple[list[OutputInstance], list[StructureSet]]:
    """Write one structure set, or one for each phase in which something was found.

    Returns:
        The written instances, and their content as read back.

    Raises:
        ContourError: a name or type exceeds a limit of the target system.
        OutputError: nothing was found, or a written structure set fails its checks.
    """
    for roi in content.rois:
        faults = name_faults(roi.name)
        task.warnings += [f"ROI {roi.name!r} against TG-263: {fault}" for fault in faults]
    variant = variant_of(task.request.parameters.get("variant", "generic"))
    task.warnings += _warnings_of_variant(content.rois, variant)
    outputs, structure_sets = [], []
    provenance = replace(task.provenance, pipeline=pipeline)
    for phase, headers, masks in _parts(task, content.masks):
        part = Content(masks, content.rois)
        output = _write(task, part, (phase, headers), (provenance, description))
        outputs.append(output)
        structure_sets.append(read_structure_set(task.folder / output.path))
        check_structure_set(structure_sets[-1], headers)
    return outputs, structure_sets


def names_written(task: Task, rois: Sequence[Roi]) -> dict[str, str]:
    """ROINames as written for series and target system, by the configured or the model's name."""
    names = [roi.name for roi in rois]
    variant = variant_of(task.request.parameters.get("variant", "generic"))
    spelled = names_for(task.placement.headers[0].path, names)
    return dict(zip(names, fit_names(spelled, variant), strict=True))


def _warnings_of_variant(rois: Sequence[Roi], variant: Variant) -> Iterator[str]:
    """Yield what the target system's limits change or lack in `rois`."""
    names = [roi.name for roi in rois]
    for roi, name in zip(rois, fit_names(names, variant), strict=True):
        if name != roi.name:
            limit = f"{variant.longest_roi_name} characters"
            yield f"ROI {roi.name!r} is written as {name!r}: {variant.name} takes {limit}"
        if variant.needs_interpreted_type and not roi.interpreted_type:
            yield f"ROI {roi.name!r} has no RTROIInterpretedType, which {variant.name} expects"


def _changed(roi: Roi, change: Mapping[str, Any]) -> Roi:
    color_rgb = change.get("color_rgb")
    return replace(
        roi,
        name=change.get("name") or roi.name,
        color_rgb=roi.color_rgb if color_rgb is None else tuple(color_rgb),
        interpreted_type=change.get("interpreted_type") or roi.interpreted_type,
    )


def phases_of(task: Task, masks: Masks) -> Iterator[tuple[int | None, Headers, Masks]]:
    """Split by phase: its number (None if there is only one), headers and masks."""
    phases = task.placement.phases
    start = 0
    for number, headers in enumerate(phases, 1):
        part = {name: mask[start : start + len(headers)] for name, mask in masks.items()}
        start += len(headers)
        yield number if len(phases) > 1 else None, headers, part


def _parts(task: Task, masks: Masks) -> Iterator[tuple[int | None, Headers, Masks]]:
    """Split as `phases_of` if configured, else all phases together."""
    is_apart = task.request.parameters.get("phases") == "apart"
    if not is_apart or not any(mask.any() for mask in masks.values()):
        yield None, task.placement.headers, masks
        return
    for number, headers, part in phases_of(task, masks):
        if any(mask.any() for mask in part.values()):
            yield number, headers, part
        else:
            task.warnings.append(f"Phase {number}: nothing was found, so no structure set")


def _write(
    task: Task,
    content: Content,
    part: tuple[int | None, Sequence[Header]],
    words: tuple[Provenance, str],
) -> OutputInstance:
    phase, headers = part
    provenance, description = words
    data_set = build_structure_set(
        headers,
        content.masks,
        content.rois,
        provenance,
        label=LABEL,
        description=description,
        variant=variant_of(task.request.parameters.get("variant", "generic")),
        phase=phase,
        holes=task.request.parameters.get("holes", "keyhole"),
    )
    return write_instance(data_set, task.folder)
