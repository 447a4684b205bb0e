"""Signing in and out with a password: limited guesses, a signed cookie, an event for the log."""

import math

from fastapi import HTTPException, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from web.auth.access import Access, Person
from web.auth.clients import address_of, client_of
from web.auth.turns import BusyError
from web.auth.user_file import User


async def sign_in(
    access: Access, ledger: Ledger, request: Request, *, name: str, password: str
) -> User:
    """Verify name and password; call `set_cookie` on the answer afterwards.

    Raises:
        HTTPException: 401 for a wrong name or password, 429 after too many of them, 503 if too
            many people sign in at this moment.
    """
    try:
        async with access.turns.take(client_of(request)):
            user = await _verified(access, request, name, password)
    except BusyError as error:
        raise HTTPException(503, str(error), {"Retry-After": "5"}) from error
    address = address_of(request)
    if user is None:
        known = access.users.users().get(name)
        who = "an unknown user" if known is None else name  # an unknown name may be a password
        await run_in_threadpool(_record, ledger, EventKind.WRONG_PASSWORD, f"{who} from {address}")
        raise HTTPException(401, "name or password is wrong")
    await run_in_threadpool(_record, ledger, EventKind.SIGNED_IN, f"{name} from {address}")
    return user


async def _verified(access: Access, request: Request, name: str, password: str) -> User | None:
    """The user, if the password is right; raises HTTPException 429 without looking at it."""
    client = client_of(request)
    wait_s = access.guesses.wait_s(client, name)
    if wait_s > 0:
        words = "too many wrong passwords: try again later"
        raise HTTPException(429, words, {"Retry-After": str(math.ceil(wait_s))})
    user = access.users.users().get(name)
    password_hash = "" if user is None else user.password_hash
    if not await run_in_threadpool(access.passwords.verify, password_hash, password):
        return None
    access.guesses.take_back(client, name)
    return user


def set_cookie(access: Access, request: Request, answer: Response, user: User) -> None:
    """Begin a session; scripts and other sites cannot use its cookie."""
    answer.set_cookie(
        access.cookie_of(request),
        access.sessions.begin(user),
        max_age=int(access.lasts_s),
        path="/",
        secure=access.is_https(request),
        httponly=True,
        samesite="lax",
    )


def sign_out(access: Access, ledger: Ledger, request: Request, person: Person) -> None:
    """End the session of a request; call `drop_cookie` on the answer afterwards."""
    session = access.session_of(request)
    if session is not None:
        access.sessions.end(session)
        _record(ledger, EventKind.SIGNED_OUT, f"{person.name} from {person.address}")


def drop_cookie(access: Access, request: Request, answer: Response) -> None:
    """Delete the session's cookie in the browser."""
    answer.delete_cookie(
        access.cookie_of(request),
        path="/",
        secure=access.is_https(request),
        httponly=True,
        samesite="lax",
    )


def _record(ledger: Ledger, kind: EventKind, words: str) -> None:
    with ledger.writing() as connection:
        record_event(connection, kind, words, now=ledger.clock())
