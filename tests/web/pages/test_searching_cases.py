"""All cases are found by patient, date, title and description, and no address says by what."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import FileDataset

from tests.support.peers import write_series
from tests.support.web.clinic import Clinic, open_clinic
from tests.support.web.serving import Site, serving
from web.cases.about import about_reader
from web.cases.cases import Cases, Search
from web.cases.search import search_everywhere

COUNT = 30


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, ct_folder: Path) -> Clinic:
    """30 cases of one slice; Müller is the first, and so on the last page."""
    folder = tmp_path_factory.mktemp("search")
    clinic, [path] = open_clinic(folder), sorted(ct_folder.glob("*.dcm"))[:1]

    def named(number: int) -> None:
        def change(data_set: FileDataset, _: int) -> None:
            data_set.SpecificCharacterSet = "ISO_IR 192"
            data_set.PatientName = "Müller^Ada=山田^太郎" if number == 0 else f"Other^{number}"
            data_set.PatientID, data_set.PatientBirthDate = f"ID-{number:03}", "19310412"
            data_set.StudyDate = "20190304" if number == 0 else "20200101"
            data_set.SeriesDescription = f"Thorax native {number:03}"

        paths = write_series([path], folder / str(number), change)
        clinic.receive(paths, calling="CT_A" if number == 0 else "CT_B")

    for number in range(COUNT):
        named(number)
    return clinic


@pytest.fixture(scope="module")
def site(clinic: Clinic) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


def numbers_in(text: str) -> list[int]:
    return [int(one) for one in re.findall(r'<th scope="row"><a href="/cases/(\d+)"', text)]


@pytest.mark.parametrize(
    "text",
    [
        "müller",
        "Müller, Ada",
        "ADA müll",
        "Muller",
        "mu\u0308ller",  # u and its dots as two characters
        "Müller^Ada",
        "山田",
        "ID-000",
        "2019-03-04",
        "20190304",
        "native 000",
        "ct 1931-04-12 müller",
        "CT_A",
        "1",
    ],
)
def test_a_case_is_found_among_all(client: httpx.Client, text: str) -> None:
    answer = client.post("/cases", data={"text": text})
    assert answer.status_code == 200
    assert 1 in numbers_in(answer.text)
    if text not in ("1", "CT_A"):
        assert numbers_in(answer.text) == [1]


@pytest.mark.parametrize("text", ["%", "Meier", "müller meier", "ID-000 CT_A native"])
def test_what_does_not_match_is_not_found(client: httpx.Client, text: str) -> None:
    answer = client.post("/cases", data={"text": text})
    assert "No case matches." in answer.text or numbers_in(answer.text) == []


def test_state_and_dates_of_receipt_count_besides(client: httpx.Client) -> None:
    def found(**more: str) -> list[int]:
        return numbers_in(client.post("/cases", data={"text": "müller", **more}).text)

    assert found(since="2020-01-01") == [1]
    assert found(since="2999-01-01") == []
    assert found(state="delivered") == []


def test_what_was_searched_for_is_in_no_address(client: httpx.Client) -> None:
    text = client.post("/cases", data={"text": "Müller"}).text
    assert 'method="post" action="/cases" role="search"' in text
    for address in re.findall(r'(?:href|src|action)="([^"]*)"', text):
        assert "ller" not in address


def test_a_search_that_ends_early_says_how_far_it_came_and_goes_on(clinic: Clinic) -> None:
    cases = Cases(clinic.completion.ledger, about_reader())
    found = search_everywhere(cases, Search(text="müller"), limit=50, within_s=0)
    assert (found.cases, found.before) == ([], 6)  # 25 of 30 were looked at
    found = search_everywhere(cases, Search(text="müller"), limit=50, before=6, within_s=0)
    assert [one.number for one in found.cases] == [1]
    assert found.before == 0


def test_pages_of_a_search_have_each_case_once(clinic: Clinic) -> None:
    cases, before, numbers = Cases(clinic.completion.ledger, about_reader()), 0, list[int]()
    for _ in range(COUNT):
        found = search_everywhere(cases, Search(text="thorax"), limit=7, before=before)
        numbers += [one.number for one in found.cases]
        before = found.before
        if not before:
            break
    assert numbers == list(range(COUNT, 0, -1))


def test_the_page_offers_to_search_on(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.cases._PAGE", 7)
    text = client.post("/cases", data={"text": "thorax"}).text
    assert numbers_in(text) == list(range(30, 23, -1))
    before = re.search(r'name="before" value="(\d+)"', text)
    assert before is not None
    again = client.post("/cases", data={"text": "thorax", "before": before[1]}).text
    assert numbers_in(again) == list(range(23, 16, -1))
