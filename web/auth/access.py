"""Authentication and roles: the dependencies that every route names."""

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
    """The user of a request; `local` if there are no users and only this machine has access."""

    name: str
    role: str
    address: str
    csrf_token: str
    """Sent by forms as `csrf_token`, by scripts of pages as the header `X-CSRF-Token`."""
    has_session: bool = False

    @property
    def is_operator(self) -> bool:
        """True for operators, who may change something."""
        return self.role == OPERATOR


class Access:
    """Recognises users by session cookie or bearer token."""

    def __init__(self, settings: WebSettings) -> None:
        """Read the users.

        Raises:
            ConfigurationError: the file of users is wrong, or there are no users and the address
                is open to other machines.
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
        """The user of a request; None without valid credentials.

        Raises:
            ConfigurationError: the file of users cannot be read.
        """
        users, address = self.users.users(), address_of(request)
        if not users and not self._had_users:
            return Person(LOCAL, OPERATOR, address, self.sessions.csrf_token(LOCAL))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._of_token(users, token.strip(), address)
        session = self.session_of(request)
        user = None if session is None else users.get(session.name)
        if session is None or user is None or not self.sessions.is_valid_for(session, user):
            return None
        token = self.sessions.csrf_token(session.key)
        return Person(user.name, user.role, address, token, has_session=True)

    def session_of(self, request: HTTPConnection) -> Session | None:
        """The session in a request's cookie; None if there is no valid one."""
        return self.sessions.read(request.cookies.get(self.cookie, ""))

    def _of_token(self, users: dict[str, User], token: str, address: str) -> Person | None:
        given = hash_of_token(token)
        for user in users.values():
            if any(hmac.compare_digest(given, known) for known in user.token_hashes):
                return Person(user.name, user.role, address, "")
        return None


def address_of(request: HTTPConnection) -> str:
    """The IP address that a request comes from; empty if unknown."""
    return request.client.host if request.client is not None else ""


def access_of(request: HTTPConnection) -> Access:
    """The `Access` of the request's application."""
    access: Access = request.app.state.access
    return access


def viewer(request: Request) -> Person:
    """The signed-in user, for routes that show something.

    Raises:
        HTTPException: 401, nobody is signed in; 503, the file of users cannot be read.
    """
    try:
        person = access_of(request).person_of(request)
    except ConfigurationError as error:
        raise HTTPException(503, str(error)) from error
    if person is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": "Bearer"})
    return person


def operator(request: Request, person: Annotated[Person, Depends(viewer)]) -> Person:
    """The signed-in operator, for routes that change something.

    A session must carry its CSRF token in the header `X-CSRF-Token`.

    Raises:
        HTTPException: 401, nobody is signed in; 403, no operator, or a wrong token.
    """
    person = _operator(person)
    if person.has_session and request.method not in SAFE_METHODS:
        check_csrf(person, request.headers.get("x-csrf-token", ""))
    return person


async def form_operator(request: Request, person: Annotated[Person, Depends(viewer)]) -> Person:
    """The signed-in operator for a form of a page, whose field `csrf_token` holds the token.

    Raises:
        HTTPException: 401, nobody is signed in; 403, no operator, or a wrong token.
    """
    person = _operator(person)
    form = await request.form()
    check_csrf(person, str(form.get("csrf_token", "")))
    return person


def check_csrf(person: Person, token: str) -> None:
    """Check that a form was posted by a page of this server.

    Raises:
        HTTPException: 403, the token is missing or wrong.
    """
    expected = person.csrf_token.encode()
    if not expected or not hmac.compare_digest(expected, token.encode()):
        raise HTTPException(403, "the page is too old or not from this server: load it again")


def _operator(person: Person) -> Person:
    if not person.is_operator:
        raise HTTPException(403, f"{person.name} may look, not act: expected an operator")
    return person


Viewer = Annotated[Person, Depends(viewer)]
Operator = Annotated[Person, Depends(operator)]
