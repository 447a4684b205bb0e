"""DICOM files in, results out, both streamed."""

import io
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support.web.people import event_words
from tests.web.working_node import RESULT, WorkingNode, working

UPLOADS = "/api/uploads"


def parts(paths: list[Path]) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [
        ("files", (f"DOE^JANE-{path.name}", path.read_bytes(), "application/dicom"))
        for path in paths
    ]


def uploads_of(node: WorkingNode) -> list[Path]:
    return list((node.site.settings.storage_path / "uploads").glob("*"))


def test_uploaded_files_become_a_job(
    node: WorkingNode, ask: httpx.Client, ct_paths: list[Path]
) -> None:
    answer = ask.post(UPLOADS, data={"job_name": "3dblur"}, files=parts(ct_paths))
    assert answer.status_code == 201
    uid = answer.json()["uid"]
    assert ask.get(f"/query/{uid}").status_code == 202
    node.work()
    folder = node.finish(node.start_job())
    assert ask.get(f"/query/{uid}").json()["output_dir"] == str(folder.absolute())
    assert ask.get("/api/series").json()["items"][0]["instances"] == len(ct_paths)
    assert uploads_of(node) == []  # what was uploaded is in the inbox now


@pytest.mark.parametrize(
    ("data", "status"),
    [({"job_name": "vnet"}, 400), ({}, 422), ({"job_name": "blur", "colour": "red"}, 422)],
)
def test_an_upload_for_nothing_is_refused_and_leaves_nothing(
    node: WorkingNode,
    ask: httpx.Client,
    ct_paths: list[Path],
    *,
    data: dict[str, str],
    status: int,
) -> None:
    answer = ask.post(UPLOADS, data=data, files=parts(ct_paths[:1]))
    assert answer.status_code == status
    assert answer.json()["msg"]
    assert uploads_of(node) == []


def test_an_upload_without_files_is_refused(node: WorkingNode, ask: httpx.Client) -> None:
    boundary = "multipart/form-data; boundary=b"
    body = b'--b\r\nContent-Disposition: form-data; name="job_name"\r\n\r\nblur\r\n--b--\r\n'
    answer = ask.post(UPLOADS, content=body, headers={"content-type": boundary})
    assert (answer.status_code, answer.json()["msg"]) == (
        422,
        "files: expected at least one, found none",
    )


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=b", b"not multipart at all", 400),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 5000, 400),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: x\r\n\r\nv\r\n--b--",
            400,
        ),
    ],
)
def test_what_is_no_upload_is_refused(
    node: WorkingNode, ask: httpx.Client, *, kind: str, body: bytes, status: int
) -> None:
    answer = ask.post(UPLOADS, content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert uploads_of(node) == []


def test_uploads_are_bounded_in_bytes_and_files(tmp_path: Path, ct_paths: list[Path]) -> None:
    limits = {"upload_mb": 0.1, "upload_files": 3}
    with working(tmp_path, web={"limits": limits}) as node, node.site.client() as client:
        many = [("files", (str(number), b"x", "")) for number in range(4)]
        answer = client.post(UPLOADS, data={"job_name": "blur"}, files=many)
        assert (answer.status_code, answer.json()["msg"]) == (413, "more than 3 files")
        large = client.post(UPLOADS, data={"job_name": "blur"}, files=parts(ct_paths))
        assert large.status_code == 413
        chunked = client.post(UPLOADS, content=iter([b"x" * 60_000] * 3))
        assert chunked.status_code in (413, 415)
        assert uploads_of(node) == []


def test_results_come_as_a_zip_and_the_download_is_in_the_log(
    node: WorkingNode, ask: httpx.Client
) -> None:
    ask.post("/job/", json={"job_name": "blur", "in_dir": "ct"})
    node.work()
    job_id = node.start_job()
    assert ask.get(f"/api/jobs/{job_id}/results.zip").status_code == 404
    node.finish(job_id)
    answer = ask.get(f"/api/jobs/{job_id}/results.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["report.json", "dicom/1.dcm"]
        assert archive.read("dicom/1.dcm") == RESULT
    whole = ask.get(f"/api/jobs/{job_id}/results.zip", params={"volume": True})
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert "volume.h5" in archive.namelist()
    (told, _) = event_words(node.site, "person: download")
    assert told == f"results of job {job_id[:12]}, by local from 127.0.0.1"
