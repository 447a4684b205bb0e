"""Dependencies of routes: the ledger and the settings."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from node.ledger.database import Ledger
from web.settings import WebSettings


def ledger_of(request: HTTPConnection) -> Ledger:
    """The node's ledger; `reading()` sees one consistent state and never blocks the node."""
    ledger: Ledger = request.app.state.ledger
    return ledger


def settings_of(request: HTTPConnection) -> WebSettings:
    """The settings that the web process was started with."""
    settings: WebSettings = request.app.state.settings
    return settings


LedgerOf = Annotated[Ledger, Depends(ledger_of)]
SettingsOf = Annotated[WebSettings, Depends(settings_of)]
