"""All pages in one router."""

from fastapi import APIRouter

from web.pages import case, cases, images, log, overview, sign
from web.settings import WebSettings


def pages_router(_: WebSettings) -> APIRouter:
    """Routes of all pages; they are not in the OpenAPI document, which is for programs."""
    router = APIRouter(include_in_schema=False)
    for module in (overview, cases, case, images, log, sign):
        router.include_router(module.router)
    return router
