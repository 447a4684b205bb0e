"""Signing in and out with a password: limited guesses, a signed cookie, an event for the log."""

import math

from fastapi import HTTPException, Request
from fastapi.responses import Response

from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from web.auth.access import Access, Person, address_of
from web.auth.user_file import User


def sign_in(access: Access, ledger: Ledger, request: Request, *, name: str, password: str) -> User:
    """Verify name and password; call `set_cookie` on the answer afterwards.

    Takes about 50 ms of one core, so call it in a thread.

    Raises:
        HTTPException: 401 for a wrong name or password, 429 after too many of them.
    """
    address = address_of(request)
    keys = (f"address {address}", f"name {name}")
    wait_s = access.guesses.wait_s(*keys)
    if wait_s > 0:
        words = "too many wrong passwords: try again later"
        raise HTTPException(429, words, {"Retry-After": str(math.ceil(wait_s))})
    user = access.users.users().get(name)
    is_right = access.passwords.verify("" if user is None else user.password_hash, password)
    if user is None or not is_right:
        access.guesses.count(*keys)
        who = "an unknown user" if user is None else user.name  # an unknown name may be a password
        _record(ledger, EventKind.WRONG_PASSWORD, f"{who} from {address}")
        raise HTTPException(401, "name or password is wrong")
    _record(ledger, EventKind.SIGNED_IN, f"{user.name} from {address}")
    return user


def set_cookie(access: Access, answer: Response, user: User) -> None:
    """Begin a session; scripts and other sites cannot use its cookie."""
    answer.set_cookie(
        access.cookie,
        access.sessions.begin(user),
        max_age=int(access.lasts_s),
        path="/",
        secure=access.is_https,
        httponly=True,
        samesite="lax",
    )


def sign_out(access: Access, ledger: Ledger, request: Request, person: Person) -> None:
    """End the session of a request; call `drop_cookie` on the answer afterwards."""
    session = access.session_of(request)
    if session is not None:
        access.sessions.end(session)
        _record(ledger, EventKind.SIGNED_OUT, f"{person.name} from {person.address}")


def drop_cookie(access: Access, answer: Response) -> None:
    """Delete the session's cookie in the browser."""
    answer.delete_cookie(
        access.cookie, path="/", secure=access.is_https, httponly=True, samesite="lax"
    )


def _record(ledger: Ledger, kind: EventKind, words: str) -> None:
    with ledger.writing() as connection:
        record_event(connection, kind, words, now=ledger.clock())
