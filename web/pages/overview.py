"""Today, peers, models and the configuration."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from web.overview.configuration import configuration_rows
from web.overview.peer_states import peer_states
from web.overview.today import today
from web.pages.page_context import VisitOf

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
            "card": card,
            "fault": fault,
        }
        for name, pipeline in configuration.pipelines.items()
        for card, fault in [visit.desk.models.card_of(pipeline)]
    ]
    return visit.render("models.html", pipelines=pipelines)


@router.get("/configuration")
def show_configuration(visit: VisitOf) -> HTMLResponse:
    """The configuration in force, defaults included; secrets are not shown."""
    sections = configuration_rows(visit.desk.settings.configuration)
    return visit.render("configuration.html", sections=sections)
