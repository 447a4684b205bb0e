"""What goes wrong is a page for people, in the style of the others, and JSON for programs."""

from pathlib import Path

import httpx
import pytest

from tests.support.web.people import signed_in, write_users
from tests.support.web.serving import Site, serving, web_configuration

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nothing", 404, "There is no such page"),
        ("GET", "/cases/999999", 404, "there is no case 999999"),
        ("GET", "/cases/x", 422, "This address is not valid"),
        ("DELETE", "/cases", 405, "This address cannot do that"),
        ("POST", "/cases/1/release", 403, "the page is too old or not from this server"),
    ],
)
def test_people_get_a_page_and_programs_json(
    client: httpx.Client, method: str, path: str, status: int, words: str
) -> None:
    page = client.request(method, path, headers=BROWSER)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert words in page.text
    assert '<nav aria-label="Pages">' in page.text
    answer = client.request(method, path)
    assert (answer.status_code, set(answer.json())) == (status, {"msg"})


def test_an_api_answers_json_to_a_browser_too(client: httpx.Client) -> None:
    answer = client.get("/api/nothing", headers=BROWSER)
    assert (answer.status_code, set(answer.json())) == (404, {"msg"})


def test_what_is_asked_for_is_text_on_the_page(client: httpx.Client) -> None:
    page = client.get("/<script>alert(1)</script>", headers=BROWSER)
    assert page.status_code == 404
    assert "<script>alert" not in page.text


def test_a_fault_nobody_foresaw_is_a_page_without_its_own_words(
    site: Site, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("DOE^JANE")

    monkeypatch.setattr("web.pages.overview.today", fail)
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 500
    assert "Something went wrong here" in page.text
    assert "DOE" not in page.text
    answer = client.get("/")
    assert (answer.status_code, set(answer.json())) == (500, {"msg"})


def test_who_is_not_signed_in_learns_nothing_from_a_page_that_is_missing(tmp_path: Path) -> None:
    write_users(tmp_path / "storage")
    with serving(web_configuration(tmp_path / "storage")) as site:
        page = httpx.get(f"{site.url}/nothing", headers=BROWSER)
        assert page.status_code == 404
        assert "<nav" not in page.text
        with signed_in(site, "ben") as ben:
            token = ben.headers["X-CSRF-Token"]
            body = {"csrf_token": token}
            answer = ben.post("/cases/1/release", data=body, headers=BROWSER)
        assert answer.status_code == 403
        assert "ben may look, not act" in answer.text
