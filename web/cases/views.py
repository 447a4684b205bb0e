"""Views of a case for the viewer: the images of each result, and the received images."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from core.errors import GeometryError
from imaging.geometry.plane import Plane, plane_of
from imaging.instances.header import Header
from imaging.rtstruct.target_systems import GENERIC, VARIANTS, fit_names
from node.ledger.database import Ledger
from node.ledger.requests.jobs import JobRow, jobs_of
from node.ledger.row_states import JobState
from node.ledger.schema import instances
from web.cases.cases import Case
from web.cases.orientation import sides_of
from web.cases.overlay import Overlay
from web.cases.received import Received
from web.cases.slices import VolumeFile

RECEIVED = "received"
BLOCK = 8
"""Number of slices whose contours are sent in one answer."""
_VOLUME_FILE, _REPORT_FILE = "volume.h5", "report.json"
_RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_SAME_POSITION_MM = 0.01


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a finished job."""

    job_id: str
    folder: Path
    structure_sets: tuple[Path, ...]
    """Files of the structure sets that were sent, in the order of sending."""
    title: str

    @property
    def volume_path(self) -> Path:
        """The HDF5 file with the images."""
        return self.folder / _VOLUME_FILE

    def report(self) -> dict[str, Any]:
        """The job's `report.json`; empty if it cannot be read."""
        try:
            content = json.loads((self.folder / _REPORT_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def results_of(ledger: Ledger, case: Case) -> list[Results]:
    """The results of a case that were not removed, the latest first."""
    with ledger.reading() as connection:
        rows = jobs_of(connection, case.history.series_instance_uid)
    found = [
        _results(ledger, job)
        for job in rows
        if job.state == JobState.DONE and job.removed_at is None
    ]
    return [one for one in reversed(found) if one.volume_path.is_file()]


def received_files(ledger: Ledger, case: Case) -> dict[Path, int]:
    """The files of a case's instances that were not removed, with the ledger's ids."""
    rows = select(instances.c.path, instances.c.id).where(
        instances.c.series_instance_uid == case.history.series_instance_uid,
        instances.c.removed_at.is_(None),
    )
    with ledger.reading() as connection:
        found = connection.execute(rows.order_by(instances.c.id)).all()
    return {ledger.storage_path / row.path: row.id for row in found}


def results_view(case: Case, results: Results, volume: VolumeFile) -> dict[str, Any]:
    """Describe the images of a result for the viewer, without pixels and contours."""
    base = f"/cases/{case.number}/results/{results.job_id}"
    shape = _shape(volume.rows, volume.columns, _steps_mm(volume))
    images = [
        _image(f"{base}/slices/{index}", plane, volume.instance_numbers[index], shape)
        for index, plane in enumerate(volume.planes)
    ]
    return {
        "modality": volume.modality,
        "units": volume.units,
        "window": case.about.window,
        "images": images,
        "phases": phases_of(volume),
        "contours": f"{base}/contours" if results.structure_sets else None,
        "block": BLOCK,
        "notes": [],
    }


def received_view(case: Case, received: Received, ids: dict[Path, int]) -> dict[str, Any]:
    """Describe the received images for the viewer; pixels are fetched image by image."""
    images: list[dict[str, Any]] = []
    phases: list[list[int]] = []
    for phase in received.phases:
        phases.append([len(images) + number for number in range(len(phase))])
        for header in phase:
            url = f"/cases/{case.number}/received/{ids[header.path]}/{header.frame_number or 0}"
            shape = _shape(header.rows, header.columns, header.pixel_spacing_mm)
            images.append(_image(url, _plane(header), header.instance_number, shape))
    modality = case.about.modality
    return {
        "modality": modality,
        "units": "HU" if modality == "CT" else "rescaled",
        "window": case.about.window,
        "images": images,
        "phases": phases,
        "contours": None,
        "block": BLOCK,
        "notes": list(received.notes),
    }


def structure_rows(
    overlay: Overlay, report: dict[str, Any], volume: VolumeFile
) -> list[dict[str, Any]]:
    """List the structures with images and volumes in ml by phase, as drawn and as measured."""
    measured = _by_name_written(report)
    phases = phases_of(volume)
    return [
        {
            "name": one.name,
            "color": one.color_rgb,
            "type": one.interpreted_type,
            "images": one.images,
            "images_by_phase": [overlay.count_images(number, phase) for phase in phases],
            "volumes_ml": measured.get(one.name, {}).get("volume_ml_by_phase", []),
        }
        for number, one in enumerate(overlay.structures)
    ]


def contour_block(overlay: Overlay, block: int) -> dict[str, Any]:
    """The lines on one block of slices: x, y, x, y, ... in pixels, rounded to 0.001."""
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    return {
        "box": overlay.box,
        "unplaced": overlay.unplaced,
        "images": {
            str(index): [
                [line.structure, np.round(line.points, 3).ravel().tolist()]
                for line in overlay.lines(index)
            ]
            for index in numbers
            if index in overlay.contours
        },
    }


def phases_of(volume: VolumeFile) -> list[list[int]]:
    """Indices of a volume's slices, by phase."""
    normal = volume.planes[0].normal
    return _phases([float(plane.origin_mm @ normal) for plane in volume.planes])


def _by_name_written(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was measured of each structure, by the ROIName that was sent.

    Reports of earlier versions do not state names that were cut for the target system: they are
    cut here, as the same names were then.
    """
    found: dict[str, dict[str, Any]] = report.get("structures", {})
    variant = VARIANTS.get(report.get("parameters", {}).get("variant", ""), GENERIC)
    cut = zip(found, fit_names(list(found), variant), strict=True)
    return {found[name].get("written_as", written): found[name] for name, written in cut}


def _results(ledger: Ledger, job: JobRow) -> Results:
    folder = Path(job.request.located(ledger.storage_path).output_dir)
    sets = (
        [one for one in job.result.instances if one.sop_class_uid == _RT_STRUCTURE_SET]
        if (job.result is not None)
        else []
    )
    revision = f", revision {job.request.revision}" if job.request.revision > 1 else ""
    title = f"Result of {job.request.pipeline}{revision}"
    return Results(job.job_id, folder, tuple(folder / one.path for one in sets), title)


def _phases(along_mm: Sequence[float]) -> list[list[int]]:
    """Split slices into phases: a phase ends where positions stop ascending along the normal."""
    phases: list[list[int]] = []
    for index, position in enumerate(along_mm):
        if not index or position - along_mm[index - 1] <= _SAME_POSITION_MM:
            phases.append([])
        phases[-1].append(index)
    return phases


def _image(url: str, plane: Plane | None, number: int, shape: tuple[float, ...]) -> dict[str, Any]:
    return {
        "url": url,
        "at_mm": None if plane is None else round(float(plane.origin_mm @ plane.normal), 2),
        "number": number,
        "shape": shape,
        "sides": None if plane is None else sides_of(plane),
    }


def _shape(
    rows: int, columns: int, spacing_mm: tuple[float, float] | None
) -> tuple[int, int, float, float]:
    """Rows, columns, and the distances between them in mm; 1 mm if the spacing is unknown."""
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    return rows, columns, row_mm, column_mm


def _steps_mm(volume: VolumeFile) -> tuple[float, float]:
    first = volume.planes[0]
    return float(np.linalg.norm(first.row_step_mm)), float(np.linalg.norm(first.column_step_mm))


def _plane(header: Header) -> Plane | None:
    try:
        return plane_of(header)
    except GeometryError:
        return None
