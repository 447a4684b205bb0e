"""The pages Today, Peers, Models and Configuration."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from core.config.changes import AT_A_START
from node.ledger.tables.pauses import Pausable, pauses_of
from web.overview.configuration import configuration_rows
from web.overview.configuration_file import file_now, latest_reload
from web.overview.listening import listenings
from web.overview.models import structures_written
from web.overview.peer_states import peer_states
from web.overview.today import today
from web.pages.page_context import PageContextOf

router = APIRouter()


@router.get("/")
def show_today(context: PageContextOf) -> HTMLResponse:
    """Show the cases of today: received, running, waiting for a person, failed."""
    resources = context.resources
    configuration, ledger = resources.settings.configuration, resources.ledger
    return context.render(
        "today.html",
        today=today(ledger, resources.cases, resources.untaken, configuration.rules),
        peers=peer_states(ledger, configuration),
        listenings=listenings(resources.settings),
        disk=resources.disk.usage(),
        now=ledger.clock(),
    )


@router.get("/peers")
def show_peers(context: PageContextOf) -> HTMLResponse:
    """Show the peers with their roles and whether they are up."""
    peers = peer_states(context.resources.ledger, context.resources.settings.configuration)
    return context.render("peers.html", peers=peers)


@router.get("/models")
def show_models(context: PageContextOf) -> HTMLResponse:
    """Show the pipelines of the configuration, their models and the series that they get."""
    configuration = context.resources.settings.configuration
    with context.resources.ledger.reading() as connection:
        pauses = pauses_of(connection, Pausable.PIPELINE)
    pipelines = [
        {
            "name": name,
            "is": pipeline,
            "rules": [rule for rule in configuration.rules if rule.pipeline == name],
            "for_all": configuration.pipeline == name,
            "card": card,
            "structures": structures_written(pipeline, card),
            "fault": fault,
            "pause": pauses.get(name),
        }
        for name, pipeline in configuration.pipelines.items()
        for card, fault in [context.resources.models.card_of(pipeline)]
    ]
    return context.render("models.html", pipelines=pipelines)


@router.get("/configuration")
def show_configuration(context: PageContextOf) -> HTMLResponse:
    """Show the configuration in force, and what the file has otherwise; secrets are hidden."""
    settings = context.resources.settings
    file = file_now(settings)
    in_file = None if file is None else file.configuration
    return context.render(
        "configuration.html",
        sections=configuration_rows(settings.configuration, in_file),
        file=file,
        at_a_start=AT_A_START,
        latest=latest_reload(context.resources.ledger),
    )
