"""Reload of the configuration file on request."""

from fastapi import APIRouter

from node.commands import RELOAD
from web.api.case_commands import Asked
from web.api.refusals import REFUSALS
from web.asking import ask_node
from web.auth.access import Operator
from web.dependencies import LedgerOf

router = APIRouter(prefix="/api", tags=["configuration"], responses=REFUSALS)


@router.post("/configuration/reload", status_code=202)
def reload_configuration(person: Operator, ledger: LedgerOf) -> Asked:
    """Ask the node to take what changed in its file; `GET /api/commands/NUMBER` has the outcome."""
    command = ask_node(ledger, person, RELOAD, "configuration")
    return Asked(command=command, msg="the node was asked to read its configuration again")
