"""Whether the node lives and is ready, and its numbers, for whatever watches over it."""

import shutil
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from core.errors import StorageUnavailableError
from node.ledger.database import Ledger
from node.ledger.tables.conditions import all_conditions
from node.lock import holder_of
from web.api.refusals import REFUSALS
from web.auth.access import Viewer
from web.dependencies import LedgerOf, SettingsOf
from web.overview.metrics import Metrics
from web.settings import WebSettings

router = APIRouter(tags=["operations"], responses=REFUSALS)

_MEGABYTE = 1_000_000


class Readiness(BaseModel):
    """Whether instances are taken and jobs run."""

    ready: bool
    reasons: list[str]


@router.get("/health/live")
def live() -> dict[str, str]:
    """This process answers; asked of nobody who they are, and tells nothing else."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: {"model": Readiness}})
def ready(_: Viewer, ledger: LedgerOf, settings: SettingsOf, response: Response) -> Readiness:
    """200, or 503 with what stands in the way."""
    reasons = list(_reasons(ledger, settings))
    response.status_code = 503 if reasons else 200
    return Readiness(ready=not reasons, reasons=reasons)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(_: Viewer, request: Request) -> Response:
    """For Prometheus: instances, bytes, associations, queues, durations, failures, disk."""
    numbers: Metrics = request.app.state.metrics
    return Response(numbers.scrape(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _reasons(ledger: Ledger, settings: WebSettings) -> Iterator[str]:
    if not holder_of(settings.storage_path):
        yield "the node does not run"
    try:
        with ledger.reading() as connection:
            yield from (f"{one.name}: {one.words}" for one in all_conditions(connection))
    except StorageUnavailableError as error:
        yield str(error)
    free = shutil.disk_usage(settings.storage_path).free // _MEGABYTE
    needed = settings.configuration.wire.minimum_free_mb
    if free < needed:
        yield f"disk: {free} MB free, {needed} MB needed"
