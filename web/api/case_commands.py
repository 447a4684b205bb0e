"""Commands of operators on cases, and the node's answers."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel

from core.errors import RequestedJobError
from node.commands import answer_to, why_not
from node.completion.running import run_arguments
from node.ledger.database import Ledger
from node.ledger.tables.contents import FIRST, NEWEST
from node.verbs import CANCEL, RELEASE, RESEND, RETRY, RUN, TAKES
from web.api.cases import history_or_404
from web.api.refusals import REFUSALS
from web.asking import ask_node
from web.auth.access import Operator, Viewer
from web.dependencies import LedgerOf, SettingsOf

router = APIRouter(prefix="/api", tags=["cases"], responses=REFUSALS)


class Verb(StrEnum):
    """A command on a case."""

    RELEASE = RELEASE
    RETRY = RETRY
    RESEND = RESEND
    CANCEL = CANCEL


class Take(StrEnum):
    """Which content counts if one SOP Instance UID was received with several."""

    NEWEST = NEWEST
    FIRST = FIRST


class Asked(BaseModel):
    """A command that was recorded; `GET /api/commands/NUMBER` has the node's answer."""

    command: int
    msg: str


class CommandAnswer(BaseModel):
    """The node's answer to a command."""

    command: int
    done: bool
    refused: bool
    """True if the command was not carried out; `answer` says why, and what helps."""
    answer: str


@router.post("/cases/{case}/run", status_code=202)
def run(
    case: str,
    person: Operator,
    ledger: LedgerOf,
    settings: SettingsOf,
    *,
    pipeline: Annotated[str, Query(max_length=64, description="of the configuration")],
    destination: Annotated[
        list[str] | None,
        Query(max_length=16, description="sender, nobody or a peer's name; none: sender"),
    ] = None,
) -> Asked:
    """Ask the node to run a pipeline on a case, whatever the rules say.

    409 if no pipeline can run on it at present; the message says why, and what helps.
    """
    history = history_or_404(ledger, case)
    try:
        asked = run_arguments(settings.configuration, pipeline, destination or ())
    except RequestedJobError as error:
        raise HTTPException(400, str(error)) from error
    uid = history.series_instance_uid
    _refuse_in_vain(ledger, RUN, uid)
    command = ask_node(ledger, person, RUN, uid, arguments=asked)
    return Asked(command=command, msg=f"the node was asked to run {asked['pipeline']}")


@router.post("/cases/{case}/{verb}", status_code=202)
def act(
    case: str,
    verb: Verb,
    person: Operator,
    ledger: LedgerOf,
    *,
    take: Annotated[Take | None, Query(description="with `release`: which content counts")] = None,
) -> Asked:
    """Ask the node to release, retry, resend or cancel a case.

    The answer has the command's number; `GET /api/commands/NUMBER` has the outcome. 409 if a
    command cannot help; the message says why, and what does.
    """
    if take is not None and verb != Verb.RELEASE:
        raise HTTPException(422, "take: allowed with the command release alone")
    asked = verb.value if take is None else TAKES[take]
    uid = history_or_404(ledger, case).series_instance_uid
    _refuse_in_vain(ledger, asked, uid)
    command = ask_node(ledger, person, asked, uid)
    return Asked(command=command, msg=f"the node was asked to {verb} the series")


@router.get("/commands/{command}")
def command(
    command: Annotated[int, Path(ge=1, le=2**31 - 1)], _: Viewer, ledger: LedgerOf
) -> CommandAnswer:
    """Show the node's answer to a command; `done` is false until there is one."""
    try:
        answer = answer_to(ledger, command)
    except LookupError as error:
        raise HTTPException(404, "there is no command of this number") from error
    if answer is None:
        return CommandAnswer(command=command, done=False, refused=False, answer="")
    return CommandAnswer(command=command, done=True, refused=answer.is_refused, answer=answer.words)


def _refuse_in_vain(ledger: Ledger, verb: str, series_instance_uid: str) -> None:
    """Refuse with 409 a command that the node would refuse at present."""
    refusal = why_not(ledger, verb, series_instance_uid)
    if refusal:
        raise HTTPException(409, refusal)
