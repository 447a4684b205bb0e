"""The page of one case: history, images with contours, requests, receipt and commands."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse

from core.config.settings import SENDER, Configuration
from core.errors import RequestedJobError
from core.hold_reasons import HoldReason
from node.commands import why_not
from node.completion.running import NOBODY, run_arguments
from node.ledger.database import Ledger
from node.ledger.tables.contents import FIRST, NEWEST
from node.ledger.views.receipts import receipt_of
from node.ledger.views.request_words import job_words
from node.ledger.views.series_status import RequestStatus
from node.ledger.views.states import OPEN, CaseState
from node.verbs import CANCEL, RELEASE, RESEND, RETRY, RUN, TAKES
from web.asking import ask_node
from web.auth.access import Person, form_operator
from web.cases.cases import Case, tone_of
from web.cases.timeline import timeline_of
from web.cases.views import RECEIVED, received_files, results_of
from web.pages.page_context import Number, PageContextOf, PageResources, PageResourcesOf

router = APIRouter()
Poster = Annotated[Person, Depends(form_operator)]
_FAILED = (CaseState.FAILED, CaseState.NOT_DELIVERED)
_BUTTONS = {
    RELEASE: "Release",
    TAKES[NEWEST]: "Take the newest",
    TAKES[FIRST]: "Take the first",
    RETRY: "Try again",
    RESEND: "Send again",
    RUN: "Run a pipeline",
    CANCEL: "Cancel",
}


@router.get("/cases/{number}")
def show_case(context: PageContextOf, number: Number) -> HTMLResponse:
    """Show a case with its whole history."""
    resources = context.resources
    configuration = resources.settings.configuration
    case = resources.case(number)
    return context.render(
        "case.html",
        case=case,
        moments=timeline_of(resources.ledger, case),
        requests=[_request(one) for one in case.history.requests],
        views=_views(resources, case),
        verbs={verb: _BUTTONS[verb] for verb in _offered(resources.ledger, case)},
        pipelines=list(configuration.pipelines),
        destinations=_destinations(configuration),
        receipt=receipt_of(resources.ledger, case.history.series_instance_uid),
    )


@router.post("/cases/{number}/run")
def run(
    person: Poster,
    resources: PageResourcesOf,
    number: Number,
    *,
    pipeline: Annotated[str, Form(max_length=64)],
    destination: Annotated[str, Form(max_length=64)] = SENDER,
) -> RedirectResponse:
    """Record that a person runs a pipeline on a case."""
    try:
        asked = run_arguments(resources.settings.configuration, pipeline, (destination,))
    except RequestedJobError as error:
        raise HTTPException(400, str(error)) from error
    return _record(person, resources, number, RUN, arguments=asked)


@router.post("/cases/{number}/{verb}")
def act(person: Poster, resources: PageResourcesOf, number: Number, verb: str) -> RedirectResponse:
    """Record a person's command; the node carries it out, at its next start if it is down."""
    if verb not in _BUTTONS:
        raise HTTPException(404, f"there is no {verb!r}, expected one of {', '.join(_BUTTONS)}")
    return _record(person, resources, number, verb, arguments={})


def _record(
    person: Person,
    resources: PageResources,
    number: int,
    verb: str,
    *,
    arguments: Mapping[str, Any],
) -> RedirectResponse:
    uid = resources.case(number).history.series_instance_uid
    refusal = why_not(resources.ledger, verb, uid)
    if refusal:
        raise HTTPException(409, refusal)
    ask_node(resources.ledger, person, verb, uid, arguments=arguments)
    return RedirectResponse(f"/cases/{number}", 303)


def _destinations(configuration: Configuration) -> list[tuple[str, str]]:
    """Names and titles of the destinations that a person can choose for a pipeline."""
    peers = [(peer.name, peer.name) for peer in configuration.peers]
    return [(SENDER, "its sender"), *peers, (NOBODY, "nobody: they stay on this machine")]


def _request(one: RequestStatus) -> dict[str, Any]:
    """A request as the page shows it."""
    return {
        "asker": one.request.asker,
        "asked_at": one.request.created_at,
        "state": one.state,
        "tone": tone_of(one.state),
        "words": one.words,
        "how_it_came": one.how_it_came,
        "jobs": [job_words(job) for job in one.jobs],
    }


def _offered(ledger: Ledger, case: Case) -> list[str]:
    """Commands that the node would carry out at present."""
    uid = case.history.series_instance_uid
    return [verb for verb in verbs_for(case) if not why_not(ledger, verb, uid)]


def verbs_for(case: Case) -> list[str]:
    """Commands that make sense in the present state, in the order of their buttons."""
    verbs = list(_verbs_for_held(case))
    may_look_again = case.state == CaseState.HELD and HoldReason.NODE in case.history.holds
    if may_look_again or case.state in (*_FAILED, CaseState.CANCELLED, CaseState.SENDING):
        verbs.append(RETRY)
    if case.history.result_folders:
        verbs.append(RESEND)
    verbs.append(RUN)
    if case.state in OPEN and case.state not in _FAILED:
        verbs.append(CANCEL)
    return verbs


def _verbs_for_held(case: Case) -> Iterator[str]:
    """Commands for a held case: which content counts, or a release if something would run."""
    if HoldReason.CONTENT_DISPUTED in case.history.holds:
        yield from (TAKES[NEWEST], TAKES[FIRST])
    elif case.history.is_releasable or (case.state == CaseState.HELD and not case.history.holds):
        yield RELEASE


def _views(resources: PageResources, case: Case) -> list[tuple[str, str]]:
    """Names and titles of the views that the case has, results first."""
    views = [(one.job_id, one.title) for one in results_of(resources.ledger, case)]
    if received_files(resources.ledger, case):
        views.append((RECEIVED, "As received"))
    return views
