"""What goes wrong as an answer: `{"msg": reason}` for programs, a redirect to /login for people."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from core.errors import ConfigurationError, StorageUnavailableError

log = structlog.get_logger("web")


def install_answers(app: FastAPI) -> None:
    """Let every failure of a route become an answer."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(StorageUnavailableError, _of_storage)
    app.add_exception_handler(ConfigurationError, _of_storage)


def refusal(status: int, words: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A failure in words."""
    return JSONResponse({"msg": words}, status, dict(headers or {}))


def is_page(request: Request) -> bool:
    """Whether a person's browser asks for a page, not a program for data."""
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and not request.url.path.startswith(("/api/", "/job/", "/query/"))


def _of_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.UNAUTHORIZED and is_page(request):
        return RedirectResponse(f"/login?next={quote(request.url.path)}", HTTPStatus.SEE_OTHER)
    return refusal(error.status_code, str(error.detail), error.headers)


def _of_validation(_: Request, error: Exception) -> Response:
    """Names the place and what was expected; never what was given, which may be anything."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{place}: {first['msg']}")


def _of_storage(_: Request, error: Exception) -> Response:
    log.error("request failed", reason=str(error))
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
