"""What `--check` looks at for the pipelines: every model is loaded once."""

from collections.abc import Iterator, Mapping

from core.config.routing import Pipeline, UnetPipeline
from core.errors import ModelError
from pipeline.model_cards import model_card


def pipeline_findings(pipelines: Mapping[str, Pipeline]) -> Iterator[tuple[str, str, str]]:
    """Of each model: its pipeline, how it stands in words, and what is wrong; empty for nothing."""
    for name, pipeline in sorted(pipelines.items()):
        if not isinstance(pipeline, UnetPipeline):
            continue
        try:
            card = model_card(pipeline.checkpoint_path)
        except ModelError as error:
            yield f"pipeline {name}", "", str(error)
            continue
        unknown = set(pipeline.structures) - {one["name"] for one in card["structures"]}
        wrong = f"structures: the model draws no {', '.join(sorted(unknown))}" if unknown else ""
        words = f"{card['name']} {card['version']}, {card['intended_use']}, {card['sha256'][:12]}"
        yield f"pipeline {name}", words, wrong
