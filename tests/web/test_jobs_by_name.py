"""`POST /job/` and `GET /query/UID`: 201, 202, 200, 404, 4xx and 422, each with its reason."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node.ledger.requests.jobs import jobs_of
from node.ledger.requests.requested_jobs import find_requested_job
from tests.support.web.people import event_words
from tests.support.web.serving import serving
from tests.web.working_node import WorkingNode, working

BLUR = {"job_name": "3dblur", "in_dir": "ct"}


def post(ask: httpx.Client, **more: object) -> str:
    answer = ask.post("/job/", json=BLUR | more)
    assert answer.status_code == 201
    return str(answer.json()["uid"])


@pytest.fixture(scope="module")
def unasked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a node that nothing is ever asked of that it accepts; links lie below its root."""
    with working(tmp_path_factory.mktemp("node")) as node, node.site.client() as client:
        (node.root / "ct").mkdir()
        (node.root / "link").symlink_to("/etc")
        (node.root / "loop").symlink_to(node.root / "loop")
        yield client


def test_a_job_runs_from_a_folder_to_its_output_dir(node: WorkingNode, ask: httpx.Client) -> None:
    uid = post(ask)
    first = ask.get(f"/query/{uid}")
    assert (first.status_code, first.json()["msg"]) == (202, "Job is running")
    node.work()
    job_id = node.start_job()
    running = ask.get(f"/query/{uid}")
    assert (running.status_code, running.json()["msg"]) == (202, "Job is running")
    assert running.json()["job_id"] == job_id
    folder = node.finish(job_id)
    done = ask.get(f"/query/{uid}")
    assert (done.status_code, done.json()["msg"]) == (200, "Job has completed")
    assert done.json()["output_dir"] == str(folder.absolute())


@pytest.mark.parametrize("path", ["/job", "/job/"])
@pytest.mark.parametrize("kind", [{}, {"content-type": "application/x-www-form-urlencoded"}])
def test_a_job_is_taken_without_a_content_type_and_a_last_slash(
    unasked: httpx.Client, path: str, kind: dict[str, str]
) -> None:
    """`curl -d` names the type of a form."""
    body = b'{"job_name": "3dblur", "in_dir": "nowhere"}'
    answer = unasked.post(path, content=body, headers=kind)
    assert answer.status_code == 400
    assert answer.json()["msg"].startswith("in_dir: ")
    assert unasked.post(path, content=b"job_name=3dblur", headers=kind).status_code == 422
    assert unasked.get(path).status_code == 405


def test_a_page_of_another_site_gets_no_job_either_way(unasked: httpx.Client) -> None:
    body, kind = b"{}", "application/x-www-form-urlencoded"
    headers = {"content-type": kind, "origin": "https://elsewhere.example"}
    assert unasked.post("/job", content=body, headers=headers).status_code == 403


def test_the_uid_answers_after_a_restart(node: WorkingNode, ask: httpx.Client) -> None:
    uid = post(ask)
    with serving(node.site.settings.configuration) as again, again.client() as client:
        assert client.get(f"/query/{uid}").status_code == 202


def test_results_stay_here_unless_destinations_are_named(
    node: WorkingNode, ask: httpx.Client
) -> None:
    post(ask)
    post(ask, job_name="unet", destinations=["tps"])
    node.work()
    uid = ask.get("/api/series").json()["items"][0]["series_instance_uid"]
    with node.site.ledger.reading() as connection:
        jobs = {job.request.pipeline: job for job in jobs_of(connection, uid)}
    assert jobs["blur"].destinations == ()
    assert [one.peer for one in jobs["unet"].destinations] == ["tps"]


def test_several_jobs_are_told_apart_by_their_uids(node: WorkingNode, ask: httpx.Client) -> None:
    first, second = post(ask), post(ask, job_name="unet")
    node.work()
    node.finish(node.start_job())
    assert ask.get(f"/query/{first}").status_code == 200
    assert ask.get(f"/query/{second}").status_code == 202


def test_many_at_once_are_all_kept(node: WorkingNode, ask: httpx.Client) -> None:
    uids: list[str] = []
    threads = [threading.Thread(target=lambda: uids.append(post(ask))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(uids)) == 20
    assert {ask.get(f"/query/{uid}").status_code for uid in uids} == {202}


def test_an_unknown_uid_is_404(ask: httpx.Client) -> None:
    for uid in ("0" * 32, "nonsense", "%00", "..%2f..%2fetc"):
        answer = ask.get(f"/query/{uid}")
        assert answer.status_code == 404
        assert answer.json()["msg"]


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"job_name": "vnet"}, 400, "job_name: expected one of 3dblur, blur, unet"),
        ({"in_dir": "nowhere"}, 400, "in_dir: expected an existing folder below"),
        ({"in_dir": "../root/ct"}, 400, "in_dir: expected the name of a folder, without .."),
        ({"in_dir": "/etc"}, 400, "in_dir: expected an existing folder below"),
        ({"in_dir": "link"}, 400, "in_dir: expected an existing folder below"),
        ({"in_dir": "loop"}, 400, "in_dir: expected an existing folder below"),
        ({"in_dir": "."}, 400, "in_dir: expected an existing folder below"),
        ({"in_dir": ""}, 400, "in_dir: expected the name"),
        ({"in_dir": "a\0b"}, 400, "in_dir: expected the name"),
        ({"in_dir": "x" * 300}, 400, "in_dir: expected an existing folder below"),
        ({"in_dir": 7}, 422, "body.in_dir: Input should be a valid string"),
        ({"in_dir": None}, 422, "body.in_dir"),
        ({"destinations": ["nobody"]}, 400, "destinations: expected names of configured peers"),
        ({"series_instance_uid": "<script>"}, 422, "body.series_instance_uid"),
        ({"colour": "red"}, 422, "body.colour: Extra inputs are not permitted"),
    ],
)
def test_a_bad_name_or_folder_is_refused_with_the_reason(
    unasked: httpx.Client, *, change: dict[str, object], status: int, reason: str
) -> None:
    answer = unasked.post("/job/", json=BLUR | change)
    assert answer.status_code == status
    assert answer.json()["msg"].startswith(reason)
    assert "<script>" not in answer.text


def test_the_storage_folder_is_no_folder_of_jobs(tmp_path: Path) -> None:
    with working(tmp_path, web={"in_dir_root": tmp_path}) as node, node.site.client() as client:
        for name in ("storage", "storage/incoming"):
            answer = client.post("/job/", json={"job_name": "blur", "in_dir": name})
            assert answer.status_code == 400
            assert "beside the storage folder" in answer.json()["msg"]


def test_a_failed_job_is_422_with_the_reason(node: WorkingNode, ask: httpx.Client) -> None:
    uid = post(ask)
    node.work()
    node.fail(node.start_job(), "the model expects MR")
    answer = ask.get(f"/query/{uid}")
    assert (answer.status_code, answer.json()["msg"]) == (422, "Job has failed")
    assert answer.json()["reason"] == "the model expects MR"


def test_a_folder_that_cannot_be_run_is_422_with_the_reason(
    node: WorkingNode, ask: httpx.Client
) -> None:
    (node.root / "empty").mkdir()
    uid = post(ask, in_dir="empty")
    node.work()
    answer = ask.get(f"/query/{uid}")
    assert answer.status_code == 422
    assert "no DICOM images among the 0 files" in answer.json()["reason"]


def test_a_held_job_is_409_with_the_reason_and_cancelled_422(
    node: WorkingNode, ask: httpx.Client
) -> None:
    sorted((node.root / "ct").iterdir())[3].unlink()
    uid = post(ask)
    node.work()
    held = ask.get(f"/query/{uid}")
    assert (held.status_code, held.json()["msg"]) == (409, "Job is held")
    assert held.json()["state"] == "held"
    assert held.json()["reason"]
    series = held.json()["series_instance_uid"]
    assert ask.get("/api/cases", params={"state": "held"}).json()["items"]
    assert ask.post(f"/api/cases/{series}/cancel").status_code == 202
    node.work()
    assert ask.get(f"/query/{uid}").status_code == 422


def test_who_asked_is_in_the_log_and_the_folder_is_not(
    node: WorkingNode, ask: httpx.Client
) -> None:
    (node.root / "ct").rename(node.root / "DOE^JANE")
    uid = post(ask, in_dir="DOE^JANE")
    node.work()
    assert event_words(node.site, "person: job") == [f"job {uid} (blur), by local from 127.0.0.1"]
    with node.site.ledger.reading() as connection:
        requested_job = find_requested_job(connection, uid)
    assert requested_job is not None
    assert requested_job.asked.folder == ""
    assert "DOE" not in ask.get("/api/events").text
