"""Authentication and roles: the dependencies that every route names."""

import hmac
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, HTTPException, Request
from starlette.requests import HTTPConnection

from core.errors import ConfigurationError
from web.auth.admission import check_access, remember_users
from web.auth.clients import address_of, is_forwarded
from web.auth.ended_sessions import EndedSessions
from web.auth.passwords import GuessLimit, Passwords
from web.auth.sessions import Session, Sessions, read_secret
from web.auth.turns import Turns
from web.auth.user_file import OPERATOR, User, UserFile, hash_of_token
from web.settings import WebSettings

LOCAL = "local"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_BEHIND_A_PROXY = (
    "a proxy passes this on, for which web.proxies and users are missing (docs/api.md)"
)

log = structlog.get_logger("web")


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
            ConfigurationError: the file of users is wrong, or there are no users though there
                were, or though others than this machine would have access.
            OSError: the storage folder cannot be written.
        """
        configuration = settings.configuration
        self._settings = settings
        self.users = UserFile(settings.users_path)
        self.passwords = Passwords()
        self.turns = Turns()
        self.guesses = GuessLimit(configuration.web.limits.logins_a_minute)
        self.lasts_s = configuration.web.session_h * 3600
        secret, ended = read_secret(settings.session_key_path), settings.ended_sessions_path
        self.sessions = Sessions(secret, self.lasts_s, EndedSessions(ended))
        self.had_users = False
        """True as soon as there were users once: nobody gets in without a name any more."""
        if check_access(settings):
            self._note_users()

    def person_of(self, request: HTTPConnection) -> Person | None:
        """The user of a request; None without valid credentials.

        Raises:
            ConfigurationError: the file of users cannot be read.
        """
        users, address = self.users.users(), address_of(request)
        if users and not self.had_users:
            self._note_users()
        if not self.had_users:
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
        return self.sessions.read(request.cookies.get(self.cookie_of(request), ""))

    def is_https(self, request: HTTPConnection) -> bool:
        """True if the person's browser asked by HTTPS, as far as this server or its proxy knows."""
        return self._settings.is_behind_https or request.url.scheme == "https"

    def cookie_of(self, request: HTTPConnection) -> str:
        """The name of the session's cookie; with HTTPS, one that only this server can set."""
        return "__Host-slicewire" if self.is_https(request) else "slicewire"

    def _note_users(self) -> None:
        """From now on nobody gets in without a name, also if the users vanish."""
        self.had_users = True
        try:
            remember_users(self._settings)
        except OSError as error:
            log.warning("a restart will not know that there were users", reason=error.strerror)

    def _of_token(self, users: dict[str, User], token: str, address: str) -> Person | None:
        given = hash_of_token(token)
        for user in users.values():
            if any(hmac.compare_digest(given, known) for known in user.token_hashes):
                return Person(user.name, user.role, address, "")
        return None


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
    if not access_of(request).had_users and is_forwarded(request):
        raise HTTPException(403, _BEHIND_A_PROXY)
    return person


def is_still(request: Request, person: Person) -> bool:
    """True as long as a request that lasts would be answered for the same person."""
    try:
        return access_of(request).person_of(request) == person
    except ConfigurationError:
        return False


def is_signed_in(request: Request) -> bool:
    """True if a route that shows something would answer this request."""
    try:
        viewer(request)
    except HTTPException:
        return False
    return True


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
