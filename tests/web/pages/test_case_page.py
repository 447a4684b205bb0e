"""The page of a case: its story, its images with contours, and what a person can do."""

import re
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest

from imaging.hdf5.volume_file import read_volume_hdf5
from imaging.rtstruct.reader import read_structure_set
from node.commands import carry_out
from node.ledger.tables.instances import ABORTED
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic
from tests.web.pages.reading import Numbers, page, section


def test_a_case_tells_its_story_in_order_with_times_and_its_receipt(
    client: httpx.Client, numbers: Numbers
) -> None:
    text = page(client, f"/cases/{numbers.done}")
    headings = re.findall(r"<b>([^<]*)</b>", section(text, "history"))
    assert headings == [
        "The first instance was received",
        "The sender finished and released its association",
        "Complete: a job was queued",
        "The results are ready",
    ]
    requests = section(text, "requests")
    assert "TPS@127.0.0.1 to SLICEWIRE: sending" in requests
    assert "the last association was released" in requests
    assert "unet by --pipeline, job" in requests
    receipt = section(text, "receipt")
    assert "4 instances from TPS@127.0.0.1" in receipt
    assert "left_ventricle" in receipt


def test_a_case_offers_what_makes_sense(client: httpx.Client, numbers: Numbers) -> None:
    def offered(number: int) -> list[str]:
        return re.findall(r'data-ask="sure-(\w+)"', page(client, f"/cases/{number}"))

    assert offered(numbers.held) == ["release", "cancel"]
    assert offered(numbers.failed) == ["retry", "run"]


def test_what_a_person_asks_is_done_by_the_node_and_told_with_the_name(
    client: httpx.Client, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:5], tmp_path / "again")
    number = clinic.receive(paths, outcome=ABORTED)
    token = re.search(r'name="csrf_token" value="(\w+)"', page(client, f"/cases/{number}"))
    assert token is not None
    answer = client.post(f"/cases/{number}/release", data={"csrf_token": token[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{number}")
    assert "waiting for the node" in page(client, f"/cases/{number}")
    carry_out(clinic.completion.ledger)
    clinic.completion.settle(0)
    assert clinic.completion.series(paths).state == "processing"
    assert "released by a person, by local from 127.0.0.1" in page(client, f"/cases/{number}")


def test_slices_of_a_result_are_those_of_its_volume_and_kept_by_the_browser(
    client: httpx.Client, clinic: Clinic, numbers: Numbers
) -> None:
    folder = Path(clinic.case(numbers.done).history.result_folders[0])
    found = client.get(f"/cases/{numbers.done}/views/{folder.name}").json()
    assert found["phases"] == [[0, 1], [2, 3]]
    for index, image in enumerate(found["images"]):
        for accepted in ("deflate", "identity"):
            answer = client.get(image["url"], headers={"accept-encoding": accepted})
            planes = np.frombuffer(answer.content, np.uint8).reshape(4, -1)
            values = np.ascontiguousarray(planes.T).view("<f4").reshape(image["shape"][:2])
            assert np.array_equal(values, read_volume_hdf5(folder / "volume.h5", index))
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        again = client.get(image["url"], headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_contours_and_volumes_are_those_of_the_structure_set_that_was_sent(
    client: httpx.Client, clinic: Clinic, numbers: Numbers
) -> None:
    folder = Path(clinic.case(numbers.done).history.result_folders[0])
    [sent] = (folder / "dicom").glob("*.dcm")
    expected = read_structure_set(sent)
    found = client.get(f"/cases/{numbers.done}/views/{folder.name}").json()
    block = client.get(f"{found['contours']}/0").json()
    counts = [
        sum(line[0] == n for lines in block["images"].values() for line in lines) for n in (0, 1)
    ]
    assert block["unplaced"] == 0
    assert min(counts) > 0
    assert counts[0] >= len(expected.rois[0].contours)
    rows = client.get(found["contours"].replace("contours", "structures")).json()
    assert [row["name"] for row in rows] == [roi.name for roi in expected.rois]
    assert [len(row["volumes_ml"]) for row in rows] == [2, 2]
    assert rows[0]["volumes_ml"][0] == pytest.approx(_volume_ml(block, 0, (0, 1)), rel=0.02)


def _volume_ml(
    block: dict[str, dict[str, list[list[object]]]], structure: int, indices: tuple[int, ...]
) -> float:
    """Areas within the lines, times 1.3672 x 1.3672 mm and 8 mm between slices."""
    area = 0.0
    for index in indices:
        for number, points in block["images"].get(str(index), []):
            if number == structure:
                x, y = np.array(points).reshape(-1, 2).T
                area += abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    return area * 1.3672**2 * 8.0 / 1000


@pytest.mark.parametrize("name", ["held", "failed"])
def test_a_case_without_a_result_shows_what_came(
    client: httpx.Client, clinic: Clinic, numbers: Numbers, name: str
) -> None:
    number = getattr(numbers, name)
    found = client.get(f"/cases/{number}/views/received").json()
    assert len(found["images"]) == 5
    assert found["contours"] is None
    assert found["images"][0]["sides"] == ["A", "L", "P", "R"]
    image = found["images"][2]
    answer = client.get(image["url"])
    source = clinic.configuration.storage_path.parent / name
    pixels = [
        one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept)
        for one in (pydicom.dcmread(path) for path in sorted(source.glob("*.dcm")))
        if one.InstanceNumber == image["number"]
    ]
    planes = np.frombuffer(answer.content, np.uint8).reshape(4, -1)
    values = np.ascontiguousarray(planes.T).view("<f4").reshape(image["shape"][:2])
    assert np.array_equal(values, pixels[0].astype(np.float32))


def test_instances_that_are_still_being_filed_are_said_and_shown_when_they_are_there(
    client: httpx.Client, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path / "filed")
    number = clinic.receive(paths)
    files = sorted(clinic.instances_folder(paths).glob("*.dcm"))
    for path in files:
        path.rename(path.with_suffix(".later"))
    view = f"/cases/{number}/views/received"
    found = client.get(view).json()
    assert (found["images"], found["modality"]) == ([], "")
    assert found["notes"] == ["3 instances are still being filed"]
    for path in files:
        path.with_suffix(".later").rename(path)
    found = client.get(view).json()
    assert (len(found["images"]), found["modality"], found["notes"]) == (3, "CT", [])
    files[0].rename(files[0].with_suffix(".later"))
    answers = [client.get(image["url"]) for image in found["images"]]
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503]
    [refused] = [answer for answer in answers if answer.status_code == 503]
    assert re.fullmatch(r"instance \d+ of case \d+ is still being filed", refused.json()["msg"])
