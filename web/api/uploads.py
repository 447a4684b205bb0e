"""`POST /api/uploads`: run a named pipeline on DICOM files sent with the request."""

import shutil
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from core.durable import sync_folder
from core.errors import StorageUnavailableError
from core.storage_layout import StorageLayout
from node.ledger.database import Ledger
from node.ledger.requests.requested_jobs import UPLOADS, JobDescription
from web.api.jobs_by_name import Placed, Uid, known_pipeline, record_request
from web.api.multipart import Upload
from web.api.refusals import REFUSALS
from web.auth.access import Operator, Person, is_still
from web.dependencies import LedgerOf, SettingsOf
from web.settings import WebSettings

router = APIRouter(prefix="/api", tags=["jobs by name"], responses=REFUSALS)

_MEGABYTE = 1_000_000
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["job_name", "files"],
                    "properties": {
                        "job_name": {"type": "string", "maxLength": 64},
                        "series_instance_uid": {"type": "string", "pattern": "^[0-9.]{1,64}$"},
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        },
                    },
                }
            }
        },
    }
}


class UploadValues(BaseModel, extra="forbid"):
    """Values of an upload besides its files."""

    job_name: Annotated[str, Field(max_length=64)]
    series_instance_uid: Uid | None = None


@router.post("/uploads", status_code=201, openapi_extra=_BODY)
async def post_upload(
    request: Request, person: Operator, ledger: LedgerOf, settings: SettingsOf
) -> Placed:
    """Upload DICOM files and request a job on them; `GET /query/UID` reports its status."""
    check_disk(settings)
    uid = uuid.uuid4().hex
    folder = StorageLayout(settings.storage_path).upload(uid)
    upload = Upload(folder, most_files=settings.configuration.web.limits.upload_files)
    try:
        await upload.take(request.headers.get("content-type", ""), request.stream())
        if not await run_in_threadpool(is_still, request, person):
            raise HTTPException(401, "the right to upload ended before the upload did")
        return await run_in_threadpool(_place, ledger, person, settings, upload=upload, uid=uid)
    except OSError as error:
        upload.discard()
        raise StorageUnavailableError(f"Storage failed: {error.strerror}") from error
    except BaseException:
        upload.discard()
        raise


def _place(
    ledger: Ledger, person: Person, settings: WebSettings, *, upload: Upload, uid: str
) -> Placed:
    try:
        values = UploadValues.model_validate(upload.values)
    except ValidationError as error:
        words = f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}"
        raise HTTPException(422, words) from error
    if not upload.files:
        raise HTTPException(422, "files: expected at least one, found none")
    pipeline = known_pipeline(settings.configuration, values.job_name)
    folder = StorageLayout(settings.storage_path).upload(uid)
    for one in (folder, folder.parent, settings.storage_path):
        sync_folder(one)
    wanted = values.series_instance_uid or ""
    return record_request(ledger, person, JobDescription(pipeline, UPLOADS, uid, wanted), uid)


def check_disk(settings: WebSettings) -> None:
    """Check that the storage has room for a body, before any of it is read.

    Raises:
        StorageUnavailableError: less is free than `wire.minimum_free_mb`.
    """
    free = shutil.disk_usage(settings.storage_path).free // _MEGABYTE
    needed = settings.configuration.wire.minimum_free_mb
    if free < needed:
        raise StorageUnavailableError(f"Disk full: {free} MB free, {needed} MB needed")
