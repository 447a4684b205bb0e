"""Signing in and out."""

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
    """The form."""
    return resources.render(request, None, "login.html", next=_here(request), fault="")


@router.post("/login")
def log_in(request: Request, resources: PageResourcesOf, name: Text, password: Text) -> Response:
    """Begin a session and go where the person wanted to."""
    access = access_of(request)
    try:
        user = sign_in(access, resources.ledger, request, name=name, password=password)
    except HTTPException as error:
        page = resources.render(
            request,
            None,
            "login.html",
            next=_here(request),
            fault=error.detail,
            status=error.status_code,
        )
        page.headers.update(error.headers or {})
        return page
    answer = RedirectResponse(_here(request), 303)
    set_cookie(access, answer, user)
    return answer


@router.post("/logout")
def log_out(
    request: Request, person: Viewer, resources: PageResourcesOf, csrf_token: Text
) -> Response:
    """End the session; the browser forgets the pictures that it kept."""
    check_token(person, csrf_token)
    access = access_of(request)
    sign_out(access, resources.ledger, request, person)
    answer = RedirectResponse("/login", 303, {"clear-site-data": '"cache"'})
    drop_cookie(access, answer)
    return answer


def _here(request: Request) -> str:
    """A path of ours to go on with; never another site."""
    wanted = request.query_params.get("next", "/")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours and wanted.isprintable() else "/"
