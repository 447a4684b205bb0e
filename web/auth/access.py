"""Who asks, and what they may: the dependencies that every route names."""

import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.requests import HTTPConnection

from core.errors import ConfigurationError
from web.auth.passwords import GuessLimit, Passwords
from web.auth.sessions import Session, Sessions, read_secret
from web.auth.user_file import OPERATOR, User, UserFile, check_users, hash_of_token
from web.settings import WebSettings

LOCAL = "local"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks; `local` when this machine has no users and only this machine can ask."""

    name: str
    role: str
    address: str
    csrf_token: str
    """For forms, as `csrf_token`, and for scripts of pages, as the header `X-CSRF-Token`."""
    has_session: bool = False

    @property
    def is_operator(self) -> bool:
        """Whether they may act."""
        return self.role == OPERATOR


class Access:
    """Recognises people by cookie or bearer token."""

    def __init__(self, settings: WebSettings) -> None:
        """Read the users.

        Raises:
            ConfigurationError: the file of users is wrong, or there are none and others than this
                machine could ask.
        """
        configuration = settings.configuration
        self.users = UserFile(settings.users_path)
        self.passwords = Passwords()
        self.guesses = GuessLimit(configuration.web.limits.logins_a_minute)
        self.lasts_s = configuration.web.session_h * 3600
        self.sessions = Sessions(read_secret(settings.session_key_path), self.lasts_s)
        self.cookie = "__Host-slicewire" if settings.is_https else "slicewire"
        self.is_https = settings.is_https
        self._had_users = check_users(settings.users_path, configuration.web_ip)

    def person_of(self, request: HTTPConnection) -> Person | None:
        """Who asks; None when nobody says so, or falsely.

        Raises:
            ConfigurationError: the file of users cannot be read at present.
        """
        users, address = self.users.users(), address_of(request)
        if not users and not self._had_users:
            return Person(LOCAL, OPERATOR, address, self.sessions.csrf_token(LOCAL))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._of_token(users, token.strip(), address)
        session = self.session_of(request)
        user = None if session is None else users.get(session.name)
        if session is None or user is None or not self.sessions.is_of(session, user):
            return None
        token = self.sessions.csrf_token(session.key)
        return Person(user.name, user.role, address, token, has_session=True)

    def session_of(self, request: HTTPConnection) -> Session | None:
        """The session that the cookie of a request names."""
        return self.sessions.read(request.cookies.get(self.cookie, ""))

    def _of_token(self, users: dict[str, User], token: str, address: str) -> Person | None:
        given = hash_of_token(token)
        for user in users.values():
            if any(hmac.compare_digest(given, known) for known in user.token_hashes):
                return Person(user.name, user.role, address, "")
        return None


def address_of(request: HTTPConnection) -> str:
    """Where a request comes from."""
    return request.client.host if request.client is not None else ""


def access_of(request: HTTPConnection) -> Access:
    """The application's own."""
    access: Access = request.app.state.access
    return access


def viewer(request: Request) -> Person:
    """For routes that show something.

    Raises:
        HTTPException: 401, nobody is signed in.
    """
    try:
        person = access_of(request).person_of(request)
    except ConfigurationError as error:
        raise HTTPException(503, str(error)) from error
    if person is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": "Bearer"})
    return person


def operator(request: Request, person: Annotated[Person, Depends(viewer)]) -> Person:
    """For routes that do something: role, and the session's own token in `X-CSRF-Token`.

    Raises:
        HTTPException: 401 or 403.
    """
    person = _operator(person)
    if person.has_session and request.method not in SAFE_METHODS:
        check_csrf(person, request.headers.get("x-csrf-token", ""))
    return person


async def form_operator(request: Request, person: Annotated[Person, Depends(viewer)]) -> Person:
    """The same for a form of a page, whose field `csrf_token` holds the token.

    Raises:
        HTTPException: 401 or 403.
    """
    person = _operator(person)
    form = await request.form()
    check_csrf(person, str(form.get("csrf_token", "")))
    return person


def check_csrf(person: Person, token: str) -> None:
    """That what is posted comes from a page of ours.

    Raises:
        HTTPException: 403.
    """
    expected = person.csrf_token.encode()
    if not expected or not hmac.compare_digest(expected, token.encode()):
        raise HTTPException(403, "the page is too old or not ours: load it again")


def _operator(person: Person) -> Person:
    if not person.is_operator:
        raise HTTPException(403, f"{person.name} may look, not act: expected an operator")
    return person


Viewer = Annotated[Person, Depends(viewer)]
Operator = Annotated[Person, Depends(operator)]
