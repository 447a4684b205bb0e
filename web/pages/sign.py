"""The page to sign in, and signing out."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web.auth.access import Viewer, access_of
from web.auth.access import check_csrf as check_token
from web.auth.sign_in import drop_cookie, set_cookie, sign_in, sign_out
from web.pages.page_context import PageResourcesOf

router = APIRouter()
Text = Annotated[str, Form(max_length=256)]


@router.get("/login")
def show_login(request: Request, resources: PageResourcesOf) -> HTMLResponse:
    """Show the form to sign in."""
    return resources.render(request, None, "login.html", next=_next_path(request), fault="")


@router.post("/login")
async def log_in(
    request: Request, resources: PageResourcesOf, name: Text, password: Text
) -> Response:
    """Sign in and go on to the page that the person asked for."""
    access = access_of(request)
    try:
        user = await sign_in(access, resources.ledger, request, name=name, password=password)
    except HTTPException as error:
        page = resources.render(
            request,
            None,
            "login.html",
            next=_next_path(request),
            fault=error.detail,
            status=error.status_code,
        )
        page.headers.update(error.headers or {})
        return page
    answer = RedirectResponse(_next_path(request), 303)
    set_cookie(access, request, answer, user)
    return answer


@router.post("/logout")
def log_out(
    request: Request, person: Viewer, resources: PageResourcesOf, csrf_token: Text
) -> Response:
    """Sign out; the browser also deletes its cached images."""
    check_token(person, csrf_token)
    access = access_of(request)
    sign_out(access, resources.ledger, request, person)
    answer = RedirectResponse("/login", 303, {"clear-site-data": '"cache"'})
    drop_cookie(access, request, answer)
    return answer


def _next_path(request: Request) -> str:
    """The path of this site to go on to; never an address of another site."""
    wanted = request.query_params.get("next", "/")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours and wanted.isprintable() else "/"
