"""The page and the API offer what helps, and refuse what does not with what would."""

import re
from pathlib import Path

import httpx
import pydicom
import pytest

from node.commands import carry_out
from tests.support.completion import series_uid
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic
from tests.web.pages.reading import page


def offered(text: str) -> list[str]:
    return re.findall(r'data-ask="sure-([a-z-]+)"', text)


def token(text: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="(\w+)"', text)
    assert found is not None
    return {"csrf_token": found[1]}


@pytest.fixture
def disputed(clinic: Clinic, ct_folder: Path, tmp_path: Path) -> tuple[list[Path], int]:
    """Three images that came again with another patient ID, and their case."""
    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path / "first")
    clinic.receive(paths)
    again = []
    for path in paths:
        data_set = pydicom.dcmread(path)
        data_set.PatientID = "CORRECTED"
        again.append(path.with_suffix(".again"))
        data_set.save_as(again[-1])
    return paths, clinic.receive(again)


def two_patients(data_set: pydicom.FileDataset, index: int) -> None:
    data_set.PatientID = f"PATIENT{index % 2}"


def judge(clinic: Clinic) -> None:
    carry_out(clinic.completion.ledger)
    clinic.completion.settle(0)
    carry_out(clinic.completion.ledger)


def test_what_no_release_helps_has_no_button_and_is_refused_with_what_does(
    client: httpx.Client, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:4], tmp_path / "two", two_patients)
    number = clinic.receive(paths)
    text = page(client, f"/cases/{number}")
    assert offered(text) == ["cancel"]
    assert "send each patient&#39;s instances as a series of their own" in text
    answer = client.post(f"/cases/{number}/release", data=token(text))
    assert answer.status_code == 409
    uid = clinic.case(number).history.series_instance_uid
    refused = client.post(f"/api/cases/{uid}/release")
    assert refused.status_code == 409
    assert "send each patient's instances" in refused.json()["msg"]
    found = client.get(f"/api/cases/{uid}").json()
    assert (found["holds"], found["is_releasable"]) == (["several patients"], False)


def test_the_content_is_chosen_with_two_buttons(
    client: httpx.Client, clinic: Clinic, disputed: tuple[list[Path], int]
) -> None:
    paths, number = disputed
    text = page(client, f"/cases/{number}")
    assert offered(text)[:2] == ["take-newest", "take-first"]
    assert "PatientID on 3" in text
    answer = client.post(f"/cases/{number}/take-newest", data=token(text))
    assert answer.status_code == 303
    judge(clinic)
    job = clinic.completion.jobs(paths)[-1]
    assert job.request.content_choice.startswith("the newest content of 3 instances was taken by ")
    assert "take-newest" not in offered(page(client, f"/cases/{number}"))


def test_the_content_is_chosen_over_http_and_a_plain_release_refused(
    client: httpx.Client, clinic: Clinic, disputed: tuple[list[Path], int]
) -> None:
    paths, _ = disputed
    address = f"/api/cases/{series_uid(paths)}"
    refused = client.post(f"{address}/release")
    assert refused.status_code == 409
    assert "--take newest" in refused.json()["msg"]
    assert client.post(f"{address}/retry?take=newest").status_code == 422
    command = client.post(f"{address}/release?take=first").json()["command"]
    judge(clinic)
    found = client.get(f"/api/commands/{command}").json()
    assert (found["done"], found["refused"]) == (True, False)
    assert found["answer"].startswith("the first content of 3 instances counts from now on")


def test_any_pipeline_is_run_on_a_case_from_its_page(
    client: httpx.Client, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:5], tmp_path / "other")
    number = clinic.receive(paths)
    text = page(client, f"/cases/{number}")
    assert "run" in offered(text)
    dialog = text.partition('id="sure-run"')[2].partition("</dialog>")[0]
    assert re.findall(r"<option[^>]*>([^<]*)", dialog) == [
        *("blur", "unet", "its sender", "tps", "nobody: they stay on this machine")
    ]
    asked = token(text) | {"pipeline": "blur", "destination": "nobody"}
    answer = client.post(f"/cases/{number}/run", data=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{number}")
    judge(clinic)
    assert [job.request.pipeline for job in clinic.completion.jobs(paths)] == ["unet", "blur"]
    assert "blur, run by local from 127.0.0.1" in page(client, f"/cases/{number}")
    refused = client.post(f"/cases/{number}/run", data=asked | {"pipeline": "sharpen"})
    assert refused.status_code == 400
