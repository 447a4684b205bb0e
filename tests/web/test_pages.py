"""Every page tells what the ledger knows, for people, and hides what they must not see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from imaging.hdf5 import read_volume_hdf5
from imaging.structure_set_reader import read_structure_set
from node.commands import carry_out
from node.ledger.conditions import set_condition
from node.ledger.instances import ABORTED
from tests.peers import write_series
from tests.web.clinic import SCRIPT, Clinic, open_clinic
from tests.web.serving import Site, serving


@dataclass
class Numbers:
    """Cases of the clinic."""

    done: int
    held: int
    failed: int


def _renamed(data_set: FileDataset, _: int) -> None:
    data_set.PatientName, data_set.PatientID = SCRIPT, "4711"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return open_clinic(
        tmp_path_factory.mktemp("clinic"),
        peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}],
        webhook={"url": "https://user:pass@example.org/hook", "secret": "never shown"},
    )


@pytest.fixture(scope="module")
def numbers(clinic: Clinic, cine_folder: Path, ct_folder: Path) -> Numbers:
    """One case that was run for real, one that is held, one that failed."""
    folder = clinic.configuration.storage_path.parent
    cine = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    done = clinic.receive(cine)
    clinic.run()
    ct = sorted(ct_folder.glob("*.dcm"))[:5]
    held = clinic.receive(write_series(ct, folder / "held", _renamed), outcome=ABORTED)
    failed = clinic.receive(write_series(ct, folder / "failed"))
    clinic.fail("Checkpoint broken.ckpt: no checkpoint")
    return Numbers(done, held, failed)


@pytest.fixture(scope="module")
def site(clinic: Clinic, numbers: Numbers) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as opened:
        yield opened


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def section(text: str, name: str) -> str:
    """The part of a page with this id."""
    start = re.search(rf'<(section|div|ul) id="{name}"', text)
    assert start is not None
    return text[start.start() : text.index(f"</{start[1]}>", start.start())]


def test_today_tells_what_waits_what_failed_and_why(client: httpx.Client, numbers: Numbers) -> None:
    text = page(client, "/")
    held, failed = section(text, "held"), section(text, "failed")
    assert f'href="/cases/{numbers.held}"' in held
    assert "came only through an association that was aborted" in held
    assert f'href="/cases/{numbers.failed}"' in failed
    assert "broken.ckpt" in failed
    assert all(f'href="/cases/{one}"' in section(text, "came") for one in vars(numbers).values())


def test_today_tells_how_long_the_disk_lasts_and_what_is_wrong(
    client: httpx.Client, clinic: Clinic
) -> None:
    with clinic.completion.ledger.writing() as connection:
        set_condition(connection, "engine", "No Dask scheduler answers", 1.0)
    text = page(client, "/")
    assert "No Dask scheduler answers" in section(text, "trouble")
    assert "does not run" in section(text, "trouble")
    assert re.search(r"<b>(\d+ days|years|less than a day)</b> left", section(text, "disk"))


def test_html_in_a_name_is_shown_as_text(client: httpx.Client, numbers: Numbers) -> None:
    for path in ("/", "/cases", f"/cases/{numbers.held}"):
        text = page(client, path)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;, O&#39;Hara" in text


def test_no_address_on_any_page_names_a_patient(client: httpx.Client, numbers: Numbers) -> None:
    for path in ("/", "/cases", "/peers", "/log", *(f"/cases/{n}" for n in vars(numbers).values())):
        addresses = re.findall(r'(?:href|src|action|data-\w+)="([^"]*)"', page(client, path))
        assert addresses
        for address in addresses:
            assert not re.search(r"4711|Hara|script>|SCD0000501|\d+(\.\d+){6}", address)


def test_pages_run_no_script_of_their_own_and_style_nothing_inline(
    client: httpx.Client, numbers: Numbers
) -> None:
    for path in ("/", "/cases", f"/cases/{numbers.done}", "/models", "/configuration", "/log"):
        text = page(client, path)
        assert not re.search(r"<script(?![^>]* src=\"/static/)|<style|\sstyle=|\son\w+=", text)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_a_case_tells_its_story_in_order_with_times_and_its_receipt(
    client: httpx.Client, numbers: Numbers
) -> None:
    text = page(client, f"/cases/{numbers.done}")
    headings = re.findall(r"<b>([^<]*)</b>", section(text, "story"))
    assert headings == [
        "The first instance came",
        "The sender finished and released its association",
        "Complete: a job was queued",
        "The results are there",
    ]
    receipt = section(text, "receipt")
    assert "4 instances from TPS@127.0.0.1" in receipt
    assert "left_ventricle" in receipt


def test_a_case_offers_what_makes_sense(client: httpx.Client, numbers: Numbers) -> None:
    def offered(number: int) -> list[str]:
        return re.findall(r'data-ask="sure-(\w+)"', page(client, f"/cases/{number}"))

    assert offered(numbers.held) == ["release", "cancel"]
    assert offered(numbers.failed) == ["retry"]


def test_what_a_person_asks_is_done_by_the_node_and_told_with_the_name(
    client: httpx.Client, clinic: Clinic, ct_folder: Path, tmp_path: Path
) -> None:
    paths = write_series(sorted(ct_folder.glob("*.dcm"))[:5], tmp_path / "again")
    number = clinic.receive(paths, outcome=ABORTED)
    token = re.search(r'name="csrf_token" value="(\w+)"', page(client, f"/cases/{number}"))
    assert token is not None
    answer = client.post(f"/cases/{number}/release", data={"csrf_token": token[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{number}")
    assert "waits for the node to do it" in page(client, f"/cases/{number}")
    carry_out(clinic.completion.ledger)
    clinic.completion.settle(0)
    assert clinic.completion.series(paths).state == "processing"
    assert "released as it is, by local from 127.0.0.1" in page(client, f"/cases/{number}")


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_what_no_page_of_ours_posts_is_refused(
    client: httpx.Client, numbers: Numbers, token: str | None
) -> None:
    data = {} if token is None else {"csrf_token": token}
    answer = client.post(f"/cases/{numbers.held}/cancel", data=data)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/cases/999999",
        "/cases/2",  # an instance, but not the first of its series
        "/cases/0",
        "/cases/999999/views/received",
        "/cases/1/views/none",
        "/cases/1/received/999999/0",
        "/cases/1/results/none/slices/0",
    ],
)
def test_what_there_is_not_is_404_in_words(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["msg"]


@pytest.mark.parametrize(
    "path",
    ["/cases/x", "/cases/1/results/a/slices/x", "/cases?page=0", f"/cases/{10**20}", "/cases/-1"],
)
def test_what_makes_no_sense_is_422(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 422


def test_slices_of_a_result_are_those_of_its_volume_and_kept_by_the_browser(
    client: httpx.Client, clinic: Clinic, numbers: Numbers
) -> None:
    folder = Path(clinic.case(numbers.done).story.result_folders[0])
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
    folder = Path(clinic.case(numbers.done).story.result_folders[0])
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


def test_cases_are_found_by_state_number_sender_and_end_of_uid(
    client: httpx.Client, clinic: Clinic, numbers: Numbers
) -> None:
    def listed(query: str) -> set[int]:
        return {int(n) for n in re.findall(r'href="/cases/(\d+)"', page(client, f"/cases?{query}"))}

    assert numbers.held in listed("state=held")
    assert numbers.done not in listed("state=held")
    assert listed(f"text={numbers.failed}") >= {numbers.failed}
    assert listed("text=tps") >= set(vars(numbers).values())
    uid = clinic.case(numbers.done).story.series_instance_uid
    assert listed(f"text={uid[-9:]}") == {numbers.done}
    assert listed("text=%25") == set()
    assert listed("since=2999-01-01") == set()
    assert listed("page=2") == set()


def test_the_configuration_in_force_hides_secrets(client: httpx.Client) -> None:
    text = page(client, "/configuration")
    assert "never shown" not in text
    assert "user:pass" not in text
    assert "example.org/hook" in text
    assert "<b>unet</b>" in text  # pipeline, not the default


def test_models_are_told_with_hash_structures_and_evaluation(client: httpx.Client) -> None:
    text = page(client, "/models")
    assert "b3b1c394b624a6b838f0ef8e836965aeb515628a7d2b4c065cefabe79280a019" in text
    assert "LV_Endocardium" in text
    assert "0.939" in text
    assert "demonstration" in text


def test_peers_are_down_when_what_waits_for_them_fails(client: httpx.Client) -> None:
    text = page(client, "/peers")
    assert "tps" in text
    assert "127.0.0.1:104" in text


def test_the_log_has_every_event_with_its_case(client: httpx.Client, numbers: Numbers) -> None:
    text = page(client, "/log")
    assert "came only through an association that was aborted" in text
    assert f'href="/cases/{numbers.held}"' in text
    assert "aborted" not in section(page(client, "/log?kind=done"), "list")


def test_a_browser_without_compression_gets_the_same_contours(
    client: httpx.Client, numbers: Numbers
) -> None:
    name = re.search(r'<option value="(\w{64})"', page(client, f"/cases/{numbers.done}"))
    assert name is not None
    path = f"/cases/{numbers.done}/results/{name[1]}/contours/0"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == client.get(path).json()
