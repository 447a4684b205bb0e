"""Commands of operators on cases, and the node's answers."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel

from node.commands import answer_to, why_not
from node.ledger.tables.contents import FIRST, NEWEST
from node.verbs import CANCEL, RELEASE, RESEND, RETRY, TAKES
from web.api.cases import history_or_404
from web.api.refusals import REFUSALS
from web.asking import ask_node
from web.auth.access import Operator, Viewer
from web.dependencies import LedgerOf

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


@router.post("/cases/{series_instance_uid}/{verb}", status_code=202)
def act(
    series_instance_uid: str,
    verb: Verb,
    person: Operator,
    ledger: LedgerOf,
    *,
    take: Annotated[Take | None, Query(description="with `release`: which content counts")] = None,
) -> Asked:
    """Ask the node to release, retry, resend or cancel a case.

    The answer has the command's number; `GET /api/commands/NUMBER` has the outcome. 409 if a
    release cannot help; the message says what does.
    """
    if take is not None and verb != Verb.RELEASE:
        raise HTTPException(422, "take: allowed with the command release alone")
    asked = verb.value if take is None else TAKES[take]
    history = history_or_404(ledger, series_instance_uid)
    refusal = why_not(ledger, asked, history.series_instance_uid)
    if refusal:
        raise HTTPException(409, refusal)
    command = ask_node(ledger, person, asked, history.series_instance_uid)
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
