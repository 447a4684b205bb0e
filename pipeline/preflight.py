"""Checks of `--check` on pipelines: each model is loaded once."""

from collections.abc import Iterator, Mapping

from core.config.pipelines import PipelineSettings
from core.errors import ModelError
from imaging.rtstruct.roi_names import spelling_remarks
from pipeline.model_cards import model_card


def pipeline_findings(pipelines: Mapping[str, PipelineSettings]) -> Iterator[tuple[str, str, str]]:
    """For each model: its pipeline, a description, and the fault, or "" if there is none.

    ROI names that not every character set has follow as warnings.
    """
    for name, pipeline in sorted(pipelines.items()):
        if pipeline.model_path is None:
            continue
        words, wrong, remarks = "", "", list[str]()
        try:
            card = model_card(pipeline.kind, pipeline.model_path)
            words = f"{card['name']} {card['version']}, {card['intended_use']}, "
            words += card["sha256"][:12]
            pipeline.check_model(card)
            remarks = spelling_remarks(pipeline.roi_names(card))
        except ModelError as error:
            wrong = str(error)
        yield f"pipeline {name}", words, wrong
        yield from ((f"pipeline {name}", f"warning: {one}", "") for one in remarks)
