"""What routes get at: the ledger, the settings. A transaction is as short as the question."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from node.ledger.database import Ledger
from web.settings import WebSettings


def ledger_of(request: HTTPConnection) -> Ledger:
    """The node's ledger; `reading()` sees one state, and never makes the node wait."""
    ledger: Ledger = request.app.state.ledger
    return ledger


def settings_of(request: HTTPConnection) -> WebSettings:
    """What the door told."""
    settings: WebSettings = request.app.state.settings
    return settings


LedgerOf = Annotated[Ledger, Depends(ledger_of)]
SettingsOf = Annotated[WebSettings, Depends(settings_of)]
