"""Writer of an evaluation: an HTML page, and the same figures as JSON beside it."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.data.samples import SampleSource, fingerprint
from model.evaluation.measure import Measurement, select_structures
from model.evaluation.notes import notes_on
from model.evaluation.page import Findings, Slice, draw_slice, page
from model.evaluation.patients import Evaluation, Model
from model.evaluation.summaries import summarise
from model.inference.predict import load_segmenter

Row = tuple[Model, Measurement]


def write_report(path: Path, evaluation: Evaluation, source: SampleSource, pictures: int) -> None:
    """Write the page `path` with the `pictures` worst instances, and a JSON file beside it.

    Raises:
        OSError: the disk is full, read-only or missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    worst = sorted(evaluation.rows, key=lambda row: row[1].dice)[:pictures]
    slices = sorted(_slices(worst, source), key=lambda one: one.measurement.dice)
    summaries = summarise(evaluation.measurements)
    words = "; ".join(_description(model) for model in evaluation.models)
    notes = notes_on(evaluation)
    findings = Findings(words, notes, evaluation.damaged)
    path.write_text(page("Model against hand", summaries, slices, findings), encoding="utf-8")
    content = {
        "models": [_values(model) for model in evaluation.models],
        "data_set": fingerprint(source.samples()),
        "notes": notes,
        "damaged": [asdict(one) for one in evaluation.damaged],
        "summaries": [_finite(asdict(one)) for one in summaries],
        "measurements": [_finite(asdict(one)) for one in evaluation.measurements],
    }
    path.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _slices(rows: Sequence[Row], source: SampleSource) -> Iterator[Slice]:
    """Predict again, checkpoint by checkpoint: the masks of all would not fit into memory."""
    for model in {model.path: model for model, _ in rows}.values():
        segmenter = load_segmenter(model.path)
        selection = select_structures(segmenter, source)
        entries = {entry.key: entry for entry in selection.samples(model.patients)}
        names = [structure.name for structure in model.card.structures]
        for measurement in (one for of, one in rows if of.path == model.path):
            sample = selection.read(entries[measurement.key])
            found = segmenter.predict(sample.image[None], sample.pixel_spacing_mm)
            truth = sample.masks[names.index(measurement.structure)]
            yield draw_slice(sample, measurement, truth, found[measurement.structure][0])


def _description(model: Model) -> str:
    return (
        f"{model.card.name} {model.card.version} ({model.sha256[:16]}) "
        f"on {', '.join(model.patients) or 'nobody'}"
    )


def _values(model: Model) -> dict[str, Any]:
    return {
        "name": model.card.name,
        "file": model.path.name,
        "version": model.card.version,
        "sha256": model.sha256,
        "training_data": model.card.training_fingerprint,
        "training_patients": model.card.training_patients,
        "measured_on": model.patients,
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """Values with None for infinity, which JSON does not have."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
