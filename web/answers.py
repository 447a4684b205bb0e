"""Answers for failures: `{"msg": reason}` for programs, a page or /login for people."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from core.errors import ConfigurationError, StorageUnavailableError, explain_fault
from web.pages.fault_page import fault_page

log = structlog.get_logger("web")


def install_answers(app: FastAPI) -> None:
    """Register handlers that turn the failures of routes into answers."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(StorageUnavailableError, _of_storage)
    app.add_exception_handler(ConfigurationError, _of_storage)


def refusal(status: int, words: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Answer a failure as JSON, with the reason under `msg`."""
    return JSONResponse({"msg": words}, status, dict(headers or {}))


def is_page(request: Request) -> bool:
    """True if a browser asks for a page; false for a program that asks for data."""
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and not request.url.path.startswith(("/api/", "/job", "/query/"))


def answer_to(
    request: Request, status: int, words: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a failure with its reason: a page for people, JSON for programs."""
    if not is_page(request):
        return refusal(status, words, headers)
    try:
        page = fault_page(request, status, words)
    except Exception as error:  # noqa: BLE001, the failure must be answered even if its page fails
        log.error("page of a failure cannot be made", fault=explain_fault(error))
        return refusal(status, words, headers)
    page.headers.update(headers or {})
    return page


def _of_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.UNAUTHORIZED and is_page(request):
        return RedirectResponse(f"/login?next={quote(request.url.path)}", HTTPStatus.SEE_OTHER)
    return answer_to(request, error.status_code, str(error.detail), error.headers)


def _of_validation(request: Request, error: Exception) -> Response:
    """Name the value's place and what was expected; never the value, which may be private."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    words = f"{place}: {first['msg']}"
    return answer_to(request, HTTPStatus.UNPROCESSABLE_ENTITY, words)


def _of_storage(request: Request, error: Exception) -> Response:
    log.error("request failed", reason=str(error))
    return answer_to(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
