"""Today, peers, models and the configuration."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from web.overview.configuration import configuration_rows
from web.overview.peer_states import peer_states
from web.overview.today import today
from web.pages.page_context import PageContextOf

router = APIRouter()


@router.get("/")
def show_today(context: PageContextOf) -> HTMLResponse:
    """What came, what runs, what waits for a person, what failed."""
    return context.render(
        "today.html",
        today=today(context.resources.ledger, context.resources.cases),
        peers=peer_states(context.resources.ledger, context.resources.settings.configuration),
        disk=context.resources.disk.look(),
        now=context.resources.ledger.clock(),
    )


@router.get("/peers")
def show_peers(context: PageContextOf) -> HTMLResponse:
    """Who sends and who receives, and whether they are up."""
    peers = peer_states(context.resources.ledger, context.resources.settings.configuration)
    return context.render("peers.html", peers=peers)


@router.get("/models")
def show_models(context: PageContextOf) -> HTMLResponse:
    """What each pipeline of the configuration is, and which series it gets."""
    configuration = context.resources.settings.configuration
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
        for card, fault in [context.resources.models.card_of(pipeline)]
    ]
    return context.render("models.html", pipelines=pipelines)


@router.get("/configuration")
def show_configuration(context: PageContextOf) -> HTMLResponse:
    """The configuration in force, defaults included; secrets are not shown."""
    sections = configuration_rows(context.resources.settings.configuration)
    return context.render("configuration.html", sections=sections)
