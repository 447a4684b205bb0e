"""Reference of the REST API: the OpenAPI document, and a page of it without foreign scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from web.auth.access import Viewer
from web.pages.page_context import PageContextOf

_METHODS = ("get", "post", "put", "patch", "delete")
_OF_EVERY_ROUTE = ("400", "401", "403", "404", "405", "413", "422", "429", "503")


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter of an operation."""

    name: str
    place: str
    """One of `path`, `query`, `header`, `JSON` and `part of the form`."""
    is_required: bool
    words: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One HTTP method of one path."""

    method: str
    path: str
    words: str
    values: tuple[Value, ...]
    answers: tuple[str, ...]
    """Status codes; those that every route may answer are summed up as `4xx` and `503`."""


def reference_router(app: FastAPI) -> APIRouter:
    """Routes of the OpenAPI document and of the reference page of `app`."""
    router = APIRouter()

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(_: Viewer) -> JSONResponse:
        return JSONResponse(app.openapi())

    @router.get("/api/docs", include_in_schema=False)
    def docs(context: PageContextOf) -> HTMLResponse:
        return context.render("reference.html", operations=list(operations_of(app.openapi())))

    return router


def operations_of(document: dict[str, Any]) -> Iterator[Operation]:
    """Operations of an OpenAPI document, sorted by path."""
    for path, item in sorted(document["paths"].items()):
        for method in (one for one in _METHODS if one in item):
            said = item[method]
            answers = [code for code in sorted(said["responses"]) if code not in _OF_EVERY_ROUTE]
            values = (*_parameters(said), *_body(said, document))
            words = said.get("description", "")
            yield Operation(method.upper(), path, words, values, (*answers, "4xx", "503"))


def _parameters(said: dict[str, Any]) -> Iterator[Value]:
    for one in said.get("parameters", ()):
        required, words = bool(one.get("required")), one.get("description", "")
        yield Value(one["name"], one["in"], required, words)


def _body(said: dict[str, Any], document: dict[str, Any]) -> Iterator[Value]:
    for kind, content in said.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for name, one in schema.get("properties", {}).items():
            words = ", ".join(f"such as {example}" for example in one.get("examples", ()))
            place = "JSON" if kind == "application/json" else "part of the form"
            yield Value(name, place, name in schema.get("required", ()), words)
