"""Program of the `blur` pipeline: a derived series, blurred in three dimensions."""

import numpy as np

from core.job import JobResult, OutputInstance, Report
from imaging.derived.blur import gaussian_blur
from imaging.derived.series import build_derived_series
from imaging.hdf5.volume_file import write_volume_hdf5
from imaging.pictures import Panel, choose_panels, overview_picture, write_png
from imaging.pixels.reader import Voxels
from imaging.series.volume import Volume, read_volume
from pipeline.checks import check_derived_series
from pipeline.task import Task, threads_of_worker
from pipeline.workspace import OVERVIEW_FILE, VOLUME_FILE, write_instance

_MOST_PANELS = 6
_PROGRESS_AT_SIDE_RESULTS = 0.9
_STEPS = ((0.0, 0.3), (0.3, 0.5), (0.5, 1.0))
"""Shares of reading, blurring and writing in the progress of a phase."""
_WINDOW_PERCENTILES = (1, 99.5)


def run_blur(task: Task) -> JobResult:
    """Blur every phase of the series in three dimensions.

    Raises:
        SlicewireError: pixels cannot be read, or the result cannot be written as DICOM.
    """
    sigma_mm = float(task.request.parameters["sigma_mm"])
    blurred: list[Voxels] = []
    outputs: list[OutputInstance] = []
    phases = task.placement.phases
    for number, phase in enumerate(phases):
        length = _PROGRESS_AT_SIDE_RESULTS / len(phases)
        start = length * number
        reading, computing, writing = (
            task.part(start + length * begin, start + length * end) for begin, end in _STEPS
        )
        with task.stopwatch.measure("read"):
            volume = read_volume(phase, reading)
        with task.stopwatch.measure("compute"):
            result = gaussian_blur(
                volume.voxels,
                sigma_mm,
                volume.spacing_mm,
                threads=threads_of_worker(),
                report=computing,
            )
        outputs += _write_phase(task, (volume, result), sigma_mm, writing)
        if not blurred:
            _write_picture(task, volume, result)
        affine_mm = volume.affine_mm
        del volume  # else the next one, or the file below, comes on top of it
        blurred.append(result)
    task.report(_PROGRESS_AT_SIDE_RESULTS, "results are checked, and a file is written")
    check_derived_series(outputs, task.placement.headers, task.folder)
    with task.stopwatch.measure("pictures"):
        write_volume_hdf5(
            task.folder / VOLUME_FILE,
            blurred,
            task.placement.headers,
            affine_mm=affine_mm if len(phases) == 1 else None,
            slice_spacing_mm=task.placement.slice_spacing_mm,
        )
    summary = f"{len(outputs)} images blurred with sigma {sigma_mm:g} mm"
    task.findings["sigma_mm"] = sigma_mm
    return task.result(outputs, summary, has_structure_set=False)


def _write_phase(
    task: Task, blurred: tuple[Volume, Voxels], sigma_mm: float, report: Report
) -> list[OutputInstance]:
    volume, result = blurred
    outputs = []
    with task.stopwatch.measure("write"):
        derived = build_derived_series(
            volume, result, task.provenance, description=f"Blurred {sigma_mm:g} mm"
        )
        for number, data_set in enumerate(derived, 1):
            outputs.append(write_instance(data_set, task.folder))
            report(number / len(result), f"wrote {number} of {len(result)} images")
    return outputs


def _write_picture(task: Task, volume: Volume, blurred: Voxels) -> None:
    """Write a picture of source and result side by side."""
    with task.stopwatch.measure("pictures"):
        write_png(overview_picture(_panels(volume, blurred)), task.folder / OVERVIEW_FILE)


def _panels(volume: Volume, blurred: Voxels) -> list[Panel]:
    """Source and result of some slices, each pair with the same window."""
    _, row_mm, column_mm = volume.spacing_mm
    panels = []
    for index in choose_panels(len(blurred), _MOST_PANELS):
        low, high = np.percentile(volume.voxels[index], _WINDOW_PERCENTILES)
        for image, words in ((volume.voxels[index], ""), (blurred[index], " blurred")):
            caption = f"slice {index + 1}{words}"
            window = (float(low), float(high))
            panels.append(Panel(image, (), caption, window=window, aspect=row_mm / column_mm))
    return panels
