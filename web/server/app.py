"""The application: routes, access, guard and ledger put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from core.identity import VERSION
from node.ledger.database import open_ledger
from web.answers import install_answers
from web.api import (
    case_commands,
    cases,
    configuration,
    health,
    jobs_by_name,
    models,
    pauses,
    peers,
    results,
    rows,
    sessions,
    stream,
    uploads,
)
from web.api.reference import reference_router
from web.auth.access import Access
from web.auth.guard import Guard
from web.overview.metrics import Metrics
from web.overview.models import ModelCards
from web.pages.page_context import PageResources
from web.pages.router import pages_router
from web.settings import WebSettings

_MEGABYTE = 1_000_000
_API = (
    jobs_by_name,
    uploads,
    cases,
    case_commands,
    stream,
    rows,
    peers,
    pauses,
    configuration,
    models,
    results,
    sessions,
    health,
)
_STATIC = Path(__file__).parents[1] / "static"


def create_app(settings: WebSettings) -> FastAPI:
    """Build the ASGI application of one node.

    Raises:
        ConfigurationError: the file of users is wrong, or there are no users and the address is
            open to other machines.
        StorageUnavailableError: the ledger cannot be opened.
        OSError: the key that signs sessions can be neither read nor written.
    """
    access = Access(settings)
    ledger = open_ledger(
        settings.storage_path, database_url=settings.configuration.plain_database_url
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        ledger.close()

    app = FastAPI(
        title="Slicewire",
        version=VERSION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings, app.state.access, app.state.ledger = settings, access, ledger
    app.state.metrics = Metrics(settings.configuration, ledger)
    app.state.model_cards, app.state.streams = ModelCards(), set()
    app.state.resources = PageResources(ledger, settings, app.state.model_cards)
    install_answers(app)
    _mount(app, settings)
    _guard(app, settings)
    return app


def follow(app: FastAPI, settings: WebSettings) -> None:
    """Let the application answer by changed settings; what was made at its start stays."""
    app.state.settings = settings
    app.state.resources.settings = settings
    app.state.metrics.follow(settings.configuration)


def _mount(app: FastAPI, settings: WebSettings) -> None:
    for module in _API:
        app.include_router(module.router)
    app.include_router(reference_router(app))
    app.include_router(pages_router(settings))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")


def _guard(app: FastAPI, settings: WebSettings) -> None:
    """Put the checks of every request around the routes, and what a proxy says around those."""
    web = settings.configuration.web
    app.add_middleware(
        Guard,
        hosts=web.hosts,
        body_bytes=int(web.limits.body_mb * _MEGABYTE),
        upload_bytes=int(web.limits.upload_mb * _MEGABYTE),
        is_https=settings.is_https,
    )
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.proxies))
