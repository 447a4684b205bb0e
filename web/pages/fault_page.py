"""The page that people see of a failure."""

from http import HTTPStatus
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import HTMLResponse

from core.errors import ConfigurationError
from web.auth.access import Person, access_of
from web.pages.page_context import page_resources

_HEADINGS = MappingProxyType(
    {
        400: ("Bad request", "The address or the request is not of the expected form."),
        403: ("This is not allowed", "Commands need the role operator."),
        404: ("There is no such page", "The address is wrong, or what it showed was removed."),
        405: ("This address cannot do that", "Go back, and use the buttons of the page."),
        413: ("This is too large", "Nothing of it was kept."),
        422: ("This address is not valid", "A number or a name in it is not as expected."),
        500: ("Something went wrong here", "The reason is in web.log; receiving goes on."),
        503: (
            "Not available at present",
            "Disk or ledger failed; try again when that is repaired.",
        ),
    }
)
_OTHER = ("This did not work", "")


def fault_page(request: Request, status: int, words: str) -> HTMLResponse:
    """Build the page of a failure; the reason `words` is left out if the heading says the same."""
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
    """The user for the links at the top; None if the file of users cannot be read."""
    try:
        return access_of(request).person_of(request)
    except ConfigurationError:
        return None
