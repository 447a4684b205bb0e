"""Signing in and out for programs that keep cookies, and the signed-in user."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from web.api.refusals import REFUSALS
from web.auth.access import Viewer, access_of, check_csrf
from web.auth.sign_in import drop_cookie, set_cookie, sign_in, sign_out
from web.dependencies import LedgerOf

router = APIRouter(prefix="/api", tags=["access"], responses=REFUSALS)


class NameAndPassword(BaseModel, extra="forbid"):
    """Name and password of a user who signs in."""

    name: Annotated[str, Field(max_length=64)]
    password: Annotated[SecretStr, Field(max_length=1024)]


class Me(BaseModel):
    """The signed-in user; with a cookie, every change must carry the token as `X-CSRF-Token`."""

    name: str
    role: str
    csrf_token: str


@router.post("/login", status_code=204)
async def login(
    body: NameAndPassword, request: Request, response: Response, ledger: LedgerOf
) -> None:
    """Sign in: begin a session in a cookie; 429 after too many wrong passwords."""
    access, password = access_of(request), body.password.get_secret_value()
    user = await sign_in(access, ledger, request, name=body.name, password=password)
    set_cookie(access, request, response, user)


@router.post("/logout", status_code=204)
def logout(request: Request, response: Response, person: Viewer, ledger: LedgerOf) -> None:
    """Sign out: end the session for everyone who holds its cookie."""
    if person.has_session:
        check_csrf(person, request.headers.get("x-csrf-token", ""))
    access = access_of(request)
    sign_out(access, ledger, request, person)
    drop_cookie(access, request, response)


@router.get("/me")
def me(person: Viewer) -> Me:
    """Show the signed-in user, the role and the CSRF token."""
    return Me(name=person.name, role=person.role, csrf_token=person.csrf_token)
