"""Resources that all pages share: ledger, settings, templates and caches."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import Depends, HTTPException, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse

from core.errors import PixelError
from core.identity import VERSION
from core.plain_text import without_long_uids
from node.ledger.database import Ledger
from node.lock import holder_of
from web import words
from web.auth.access import Person, Viewer
from web.cases.about import about_reader
from web.cases.cases import Case, Cases
from web.cases.overlay import Overlay, read_overlay
from web.cases.received import Received, read_received
from web.cases.slices import VolumeFile, open_volume
from web.cases.views import Results, results_of
from web.overview.disk import DiskWatch
from web.overview.event_kinds import EventKinds
from web.overview.models import ModelCards
from web.overview.no_rule import UntakenCases
from web.settings import WebSettings

Number = Annotated[int, PathParameter(ge=0, le=2**31 - 1)]
"""A number in an address, within the range of a ledger's ids."""

_TEMPLATES = Path(__file__).parent.parent / "templates"
_FILTERS = ("clock", "moment", "zone", "iso", "size", "duration", "days", "seconds", "number")
_VOLUMES_KEPT = 64
_OVERLAYS_KEPT = 4
_RECEIVED_KEPT = 16


class PageResources:
    """Resources of one application; its caches are bounded and hold only what never changes."""

    def __init__(self, ledger: Ledger, settings: WebSettings, models: ModelCards) -> None:
        self.ledger, self.settings, self.models = ledger, settings, models
        self.cases = Cases(ledger, about_reader())
        self.untaken = UntakenCases(ledger, self.cases)
        self.disk = DiskWatch(ledger, settings.configuration.wire.minimum_free_mb)
        self.event_kinds = EventKinds(ledger)
        self.volume = lru_cache(_VOLUMES_KEPT)(open_volume)
        self._overlay = lru_cache(_OVERLAYS_KEPT)(self._read_overlay)
        self._overlay_lock = threading.Lock()
        self._received = lru_cache(_RECEIVED_KEPT)(read_received)
        self._results = lru_cache(_VOLUMES_KEPT)(self._find_results)
        self._environment = _environment()

    def render(
        self, request: Request, person: Person | None, name: str, **context: Any
    ) -> HTMLResponse:
        """Render the template `name` as a page."""
        status = int(context.pop("status", 200))
        text = self._environment.get_template(name).render(
            path=request.url.path,
            person=person,
            version=VERSION,
            node=holder_of(self.ledger.storage_path),
            **context,
        )
        return HTMLResponse(text, status)

    def prepare(self) -> None:
        """Compile the templates, so that the first visitor does not wait for it (0.2 s)."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def case(self, number: int) -> Case:
        """The case `number`.

        Raises:
            HTTPException: 404, there is no such case.
        """
        case = self.cases.find(number)
        if case is None:
            raise HTTPException(404, f"there is no case {number}")
        return case

    def results(self, number: int, job_id: str) -> tuple[Results, VolumeFile]:
        """A result of a case, and the index of its images; cached after the first call.

        Raises:
            HTTPException: 404, there is no such result, or retention removed it.
        """
        results = self._results(number, job_id)
        if results is None:
            self._results.cache_clear()  # it may exist later
            raise HTTPException(404, f"case {number} has no such result")
        try:
            return results, self.volume(results.volume_path)
        except PixelError as error:
            raise HTTPException(404, str(error)) from error

    def overlay(self, results: Results) -> Overlay:
        """The contours of a result; simultaneous requests read them once."""
        with self._overlay_lock:
            return self._overlay(results.structure_sets, results.volume_path)

    def received(self, paths: tuple[Path, ...]) -> Received:
        """The received images in `paths`, in display order."""
        found = self._received(paths)
        if found.unfiled:
            self._received.cache_clear()  # their files will exist soon
        return found

    def _read_overlay(self, paths: tuple[Path, ...], volume_path: Path) -> Overlay:
        return read_overlay(paths, self.volume(volume_path))

    def _find_results(self, number: int, job_id: str) -> Results | None:
        found = results_of(self.ledger, self.case(number))
        return next((one for one in found if one.job_id == job_id), None)


def page_resources(request: Request) -> PageResources:
    """The `PageResources` of the request's application."""
    resources: PageResources = request.app.state.resources
    return resources


PageResourcesOf = Annotated[PageResources, Depends(page_resources)]


@dataclass(frozen=True, slots=True)
class PageContext:
    """A request for a page, with its signed-in user and the shared resources."""

    request: Request
    person: Person
    resources: PageResources

    def render(self, name: str, **context: Any) -> HTMLResponse:
        """Render the template `name` as a page for the signed-in user."""
        return self.resources.render(self.request, self.person, name, **context)


def context_of(request: Request, person: Viewer, resources: PageResourcesOf) -> PageContext:
    """The context of every page that needs a signed-in user; raises as `access.viewer`."""
    return PageContext(request, person, resources)


PageContextOf = Annotated[PageContext, Depends(context_of)]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(words, name) for name in _FILTERS})
    environment.filters["brief"] = without_long_uids
    return environment
