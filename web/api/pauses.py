"""Pause and resume pipelines and peers."""

from datetime import datetime

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from core.config.settings import Configuration
from core.errors import RequestedJobError
from node.ledger.database import Ledger
from node.ledger.tables.pauses import Pausable, all_pauses
from node.pausing import PAUSE, RESUME, pause_target, why_not_paused
from web.api.case_commands import Asked
from web.api.refusals import REFUSALS
from web.asking import ask_node
from web.auth.access import Operator, Person, Viewer
from web.dependencies import LedgerOf, SettingsOf
from web.paging import at

router = APIRouter(prefix="/api", tags=["pauses"], responses=REFUSALS)


class PauseNow(BaseModel):
    """A paused pipeline or peer."""

    what: Pausable
    name: str
    since: datetime | None
    by: str
    words: str


@router.get("/pauses")
def pauses(_: Viewer, ledger: LedgerOf) -> list[PauseNow]:
    """List what is paused, the oldest first."""
    with ledger.reading() as connection:
        found = all_pauses(connection)
    return [
        PauseNow(what=one.what, name=one.name, since=at(one.since), by=one.by_whom, words=one.words)
        for one in found
    ]


@router.post("/pipelines/{name}/pause", status_code=202)
def pause_pipeline(name: str, person: Operator, ledger: LedgerOf, settings: SettingsOf) -> Asked:
    """Ask the node to begin no more jobs of a pipeline; those that run end."""
    return _ask(ledger, settings.configuration, person, (PAUSE, Pausable.PIPELINE, name))


@router.post("/pipelines/{name}/resume", status_code=202)
def resume_pipeline(name: str, person: Operator, ledger: LedgerOf, settings: SettingsOf) -> Asked:
    """Ask the node to run the jobs of a paused pipeline."""
    return _ask(ledger, settings.configuration, person, (RESUME, Pausable.PIPELINE, name))


@router.post("/peers/{name}/pause", status_code=202)
def pause_peer(name: str, person: Operator, ledger: LedgerOf, settings: SettingsOf) -> Asked:
    """Ask the node to send nothing more to a peer; what is being sent ends."""
    return _ask(ledger, settings.configuration, person, (PAUSE, Pausable.PEER, name))


@router.post("/peers/{name}/resume", status_code=202)
def resume_peer(name: str, person: Operator, ledger: LedgerOf, settings: SettingsOf) -> Asked:
    """Ask the node to send what waits for a paused peer."""
    return _ask(ledger, settings.configuration, person, (RESUME, Pausable.PEER, name))


def _ask(
    ledger: Ledger, configuration: Configuration, person: Person, asked: tuple[str, Pausable, str]
) -> Asked:
    """Record the command; 404 if there is no such thing, 409 if it is paused already, or not."""
    verb, what, name = asked
    try:
        target, arguments = pause_target(configuration, ledger, what, name)
    except RequestedJobError as error:
        raise HTTPException(404, str(error)) from error
    with ledger.reading() as connection:
        refusal = why_not_paused(connection, verb, what, target)
    if refusal:
        raise HTTPException(409, refusal)
    command = ask_node(ledger, person, verb, target, arguments=arguments)
    return Asked(command=command, msg=f"the node was asked to {verb} the {what}")
