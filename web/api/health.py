"""Liveness, readiness and metrics of the node, for monitoring."""

import shutil
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger
from node.ledger.tables.conditions import all_conditions
from node.lock import holder_of
from web.api.refusals import REFUSALS
from web.auth.access import Viewer, is_signed_in
from web.dependencies import LedgerOf, SettingsOf
from web.overview.metrics import Metrics
from web.settings import WebSettings

router = APIRouter(tags=["operations"], responses=REFUSALS)

_MEGABYTE = 1_000_000


class Readiness(BaseModel):
    """`ready` if the node accepts instances and runs jobs, else the reasons why not."""

    ready: bool
    reasons: list[str]


@router.get("/health/live")
def live() -> dict[str, str]:
    """Answer as long as the web process runs; needs no sign-in."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: {"model": Readiness}})
def ready(
    request: Request, ledger: LedgerOf, settings: SettingsOf, response: Response
) -> Readiness:
    """Tell whether the node accepts instances and runs jobs: 200, or 503 with the reasons.

    Needs no sign-in; without one, reasons are names only (`disk`, `engine`, `ledger`, ...).
    """
    reasons = list(_reasons(ledger, settings))
    response.status_code = 503 if reasons else 200
    in_words = is_signed_in(request)
    told = [words if in_words else name for name, words in reasons]
    return Readiness(ready=not reasons, reasons=list(dict.fromkeys(told)))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(_: Viewer, request: Request) -> Response:
    """Metrics for Prometheus: instances, bytes, associations, queues, durations, failures, disk."""
    numbers: Metrics = request.app.state.metrics
    return Response(numbers.scrape(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _reasons(ledger: Ledger, settings: WebSettings) -> Iterator[tuple[str, str]]:
    """Yield what is wrong: its name for everybody, and in words for who is signed in."""
    if not holder_of(settings.storage_path):
        yield "node", "the node does not run"
    try:
        with ledger.reading() as connection:
            for one in all_conditions(connection):
                yield one.name, f"{one.name}: {one.words}"
    except StorageUnavailableError as error:
        yield "ledger", str(error)
    free = shutil.disk_usage(settings.storage_path).free // _MEGABYTE
    needed = settings.configuration.wire.minimum_free_mb
    if free < needed:
        yield "disk", f"disk: {free} MB free, {needed} MB needed"
