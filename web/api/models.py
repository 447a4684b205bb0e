"""Models: name, hash, structures, and their measured agreement on held-out patients."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from core.config.pipelines import PipelineSettings
from node.ledger.tables.pauses import Pausable, pauses_of
from web.api.refusals import REFUSALS
from web.auth.access import Viewer
from web.dependencies import LedgerOf, SettingsOf
from web.overview.models import ModelCards

router = APIRouter(prefix="/api", tags=["models"], responses=REFUSALS)


class PipelineOfNode(BaseModel):
    """A pipeline that jobs can name."""

    name: str
    kind: str
    parameters: dict[str, Any]
    model: dict[str, Any] | None
    """The model's card with its SHA-256; null for a pipeline without a model."""
    fault: str = ""
    """Why the model cannot be read."""
    paused: str = ""
    """Since when the pipeline is paused and by whom; empty if it is not."""


@router.get("/models")
def models(
    _: Viewer, request: Request, ledger: LedgerOf, settings: SettingsOf
) -> list[PipelineOfNode]:
    """List the pipelines of the configuration, each with its model's card."""
    cards: ModelCards = request.app.state.model_cards
    pipelines = settings.configuration.pipelines
    with ledger.reading() as connection:
        paused = {one: why.words for one, why in pauses_of(connection, Pausable.PIPELINE).items()}
    found = [describe(cards, name, one) for name, one in sorted(pipelines.items())]
    return [one.model_copy(update={"paused": paused.get(one.name, "")}) for one in found]


def describe(cards: ModelCards, name: str, pipeline: PipelineSettings) -> PipelineOfNode:
    """Describe one pipeline with its model's card, or the reason why it cannot be read."""
    model, fault = cards.card_of(pipeline)
    return PipelineOfNode(
        name=name, kind=pipeline.kind, parameters=pipeline.parameters(), model=model, fault=fault
    )
