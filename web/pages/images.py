"""Slices and contours for the viewer; immutable, so that a browser fetches each once."""

import json
import zlib

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from core.errors import ContourError, PixelError
from web.cases.instances import file_of_instance
from web.cases.overlay import Overlay
from web.cases.received import encoded_image, is_missing
from web.cases.slices import encoded_slice
from web.cases.views import (
    RECEIVED,
    contour_block,
    received_files,
    received_view,
    results_view,
    structure_rows,
)
from web.pages.page_context import Number, PageContextOf, PageResources

router = APIRouter()
_FOR_GOOD = "private, max-age=31536000, immutable"
_LEVEL = 1


@router.get("/cases/{number}/views/{view}")
def view_of(context: PageContextOf, number: Number, view: str) -> JSONResponse:
    """Describe the images of a view, without pixels."""
    resources = context.resources
    case = resources.case(number)
    if view == RECEIVED:
        ids = received_files(resources.ledger, case)
        return JSONResponse(received_view(case, resources.received(tuple(ids)), ids))
    results, volume = resources.results(number, view)
    return JSONResponse(results_view(case, results, volume))


@router.get("/cases/{number}/results/{job_id}/slices/{index}")
def slice_of(context: PageContextOf, number: Number, job_id: str, index: Number) -> Response:
    """Send the pixels of one slice, encoded as by `slices.encode`."""
    _, volume = context.resources.results(number, job_id)
    tag = f'"{job_id[:16]}-{index}"'
    if context.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag, "cache-control": _FOR_GOOD})
    try:
        return _deflated(
            context.request, encoded_slice(volume, index), "application/octet-stream", tag
        )
    except PixelError as error:
        raise HTTPException(404, str(error)) from error


@router.get("/cases/{number}/results/{job_id}/structures")
def structures_of(context: PageContextOf, number: Number, job_id: str) -> JSONResponse:
    """List the structures of a result with colours, and numbers of images and volumes by phase."""
    results, volume = context.resources.results(number, job_id)
    overlay = _overlay(context.resources, number, job_id)
    return JSONResponse(structure_rows(overlay, results.report(), volume))


@router.get("/cases/{number}/results/{job_id}/contours/{block}")
def contours_of(context: PageContextOf, number: Number, job_id: str, block: Number) -> Response:
    """Send the contours on one block of slices."""
    content = json.dumps(contour_block(_overlay(context.resources, number, job_id), block)).encode()
    tag = f'"{job_id[:16]}-contours-{block}"'
    return _deflated(context.request, zlib.compress(content, _LEVEL), "application/json", tag)


@router.get("/cases/{number}/received/{instance}/{frame}")
def image_of(context: PageContextOf, number: Number, instance: Number, frame: Number) -> Response:
    """Send one received image, encoded as by `slices.encode`; frame 0 is the whole instance."""
    path = file_of_instance(context.resources.ledger, number, instance)
    if path is None:
        raise HTTPException(404, f"case {number} has no instance {instance}")
    try:
        content = encoded_image(path, frame or None)
    except PixelError as error:
        if is_missing(error):
            words = f"instance {instance} of case {number} is still being filed"
            raise HTTPException(503, words) from error
        raise HTTPException(404, str(error)) from error
    return _deflated(context.request, content, "application/octet-stream", f'"{instance}-{frame}"')


def _overlay(resources: PageResources, number: int, job_id: str) -> Overlay:
    results, _ = resources.results(number, job_id)
    try:
        return resources.overlay(results)
    except (ContourError, PixelError) as error:
        raise HTTPException(404, str(error)) from error


def _deflated(request: Request, content: bytes, kind: str, tag: str) -> Response:
    """Send zlib data as HTTP's `deflate`, inflated for clients that do not accept that."""
    headers = {"etag": tag, "cache-control": _FOR_GOOD, "vary": "Accept-Encoding"}
    if "deflate" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "deflate"
    else:
        content = zlib.decompress(content)
    return Response(content, media_type=kind, headers=headers)
