"""Today, peers, models and the configuration."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from core.config.routing import Pipeline, UnetPipeline
from core.errors import ModelError
from web.overview.configuration import configuration_rows
from web.overview.peer_states import peer_states
from web.overview.today import today
from web.pages.desk import Desk, VisitOf

router = APIRouter()


@router.get("/")
def show_today(visit: VisitOf) -> HTMLResponse:
    """What came, what runs, what waits for a person, what failed."""
    return visit.render(
        "today.html",
        today=today(visit.desk.ledger, visit.desk.cases),
        peers=peer_states(visit.desk.ledger, visit.desk.settings.configuration),
        disk=visit.desk.disk.look(),
        now=visit.desk.ledger.clock(),
    )


@router.get("/peers")
def show_peers(visit: VisitOf) -> HTMLResponse:
    """Who sends and who receives, and whether they are up."""
    peers = peer_states(visit.desk.ledger, visit.desk.settings.configuration)
    return visit.render("peers.html", peers=peers)


@router.get("/models")
def show_models(visit: VisitOf) -> HTMLResponse:
    """What each pipeline of the configuration is, and which series it gets."""
    configuration = visit.desk.settings.configuration
    pipelines = [
        {
            "name": name,
            "is": pipeline,
            "rules": [rule for rule in configuration.rules if rule.pipeline == name],
            "for_all": configuration.pipeline == name,
            **_card(visit.desk, pipeline),
        }
        for name, pipeline in configuration.pipelines.items()
    ]
    return visit.render("models.html", pipelines=pipelines)


@router.get("/configuration")
def show_configuration(visit: VisitOf) -> HTMLResponse:
    """The configuration in force, defaults included; secrets are not shown."""
    sections = configuration_rows(visit.desk.settings.configuration)
    return visit.render("configuration.html", sections=sections)


def _card(desk: Desk, pipeline: Pipeline) -> dict[str, Any]:
    """What a pipeline's model says of itself, or why it does not."""
    if not isinstance(pipeline, UnetPipeline):
        return {"card": None, "fault": ""}
    try:
        return {"card": desk.models.card(pipeline.checkpoint_path), "fault": ""}
    except ModelError as error:
        return {"card": None, "fault": str(error)}
