"""The API's own description: OpenAPI for programs, and a page of it without foreign scripts."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from markupsafe import Markup, escape

from web.access import Viewer

_METHODS = ("get", "post", "put", "patch", "delete")


def reference_router(app: FastAPI) -> APIRouter:
    """Routes that describe the others of `app`."""
    router = APIRouter()

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(_: Viewer) -> JSONResponse:
        return JSONResponse(app.openapi())

    @router.get("/api/docs", include_in_schema=False)
    def docs(_: Viewer, request: Request) -> HTMLResponse:
        return HTMLResponse(_page(app.openapi(), str(request.scope.get("root_path", ""))))

    return router


def _page(document: dict[str, Any], root: str) -> str:
    body = Markup("").join(
        _operation(path, method, item[method])
        for path, item in sorted(document["paths"].items())
        for method in _METHODS
        if method in item
    )
    info = document["info"]
    return Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} REST API</title>'
        '<link rel="stylesheet" href="{root}/static/style.css"></head><body><main>'
        "<h1>{title} {version}: REST API</h1>"
        '<p>For programs: <a href="{root}/openapi.json">openapi.json</a></p>'
        "{body}</main></body></html>"
    ).format(title=info["title"], version=info["version"], root=root, body=body)


def _operation(path: str, method: str, operation: dict[str, Any]) -> Markup:
    parameters = Markup("").join(
        Markup("<li><code>{}</code> ({}){}</li>").format(
            one["name"], one["in"], f": {one['description']}" if one.get("description") else ""
        )
        for one in operation.get("parameters", ())
    )
    answers = ", ".join(sorted(operation["responses"]))
    return Markup(
        "<section><h2><code>{} {}</code></h2><p>{}</p><ul>{}</ul><p>Answers: {}</p></section>"
    ).format(method.upper(), path, operation.get("description", ""), parameters, escape(answers))
