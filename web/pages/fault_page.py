"""What goes wrong, as a page in the style of the others."""

from http import HTTPStatus
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import HTMLResponse

from core.errors import ConfigurationError
from web.auth.access import Person, access_of
from web.pages.page_context import page_resources

_HEADINGS = MappingProxyType(
    {
        400: ("This cannot be asked", "The address or the request is not of the expected form."),
        403: ("This is not allowed", "An operator may do more than a viewer."),
        404: ("There is no such page", "The address is wrong, or what it showed was removed."),
        405: ("This address cannot do that", "Go back, and use the buttons of the page."),
        413: ("This is too large", "Nothing of it was kept."),
        422: ("This address makes no sense", "A number or a name in it is not as expected."),
        500: ("Something went wrong here", "It is in the log web.log; receiving is not touched."),
        503: ("Not at present", "Disk or ledger failed; try again when that is repaired."),
    }
)
_OTHER = ("This did not work", "")


def fault_page(request: Request, status: int, words: str) -> HTMLResponse:
    """The page of a failure; `words` are the reason, left out where the heading says it all."""
    heading, advice = _HEADINGS.get(status, _OTHER)
    says_more = words != HTTPStatus(status).phrase
    return page_resources(request).render(
        request,
        _person(request),
        "fault.html",
        status=status,
        status_code=status,
        heading=heading,
        advice=advice,
        words=words if says_more else "",
    )


def _person(request: Request) -> Person | None:
    """For the links at the top; nobody where that cannot be told."""
    try:
        return access_of(request).person_of(request)
    except ConfigurationError:
        return None
