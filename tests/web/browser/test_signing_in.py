"""In and out through the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from node.ledger.tables.instances import ABORTED
from tests.support.peers import write_series
from tests.support.web.clinic import open_clinic
from tests.support.web.people import PASSWORDS, event_words, write_users
from tests.support.web.serving import Site, serving

pytestmark = [pytest.mark.slow, pytest.mark.peer("chromium")]


@pytest.fixture
def guarded(tmp_path: Path, ct_folder: Path) -> Iterator[Site]:
    """With users, and one case that is held."""
    clinic = open_clinic(tmp_path)
    write_users(clinic.configuration.storage_path)
    ct = sorted(ct_folder.glob("*.dcm"))[:3]
    clinic.receive(write_series(ct, tmp_path / "held"), outcome=ABORTED)
    with serving(clinic.configuration) as site:
        yield site


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_person_signs_in_goes_where_they_wanted_and_out_again(page: Page, guarded: Site) -> None:
    page.goto(f"{guarded.url}/cases/1")
    expect(page).to_have_url(re.compile("/login"))
    sign_in(page, "ada", "wrong")
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    sign_in(page, "ada", PASSWORDS["ada"])
    expect(page).to_have_url(f"{guarded.url}/cases/1")
    expect(page.locator(".who")).to_contain_text("ada operator")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))
    page.goto(f"{guarded.url}/cases/1")
    expect(page).to_have_url(re.compile("/login"))
    assert event_words(guarded, "signed out") == ["ada from 127.0.0.1"]


def test_who_only_looks_is_offered_nothing_to_do(page: Page, guarded: Site) -> None:
    page.goto(f"{guarded.url}/cases/1")
    sign_in(page, "ben", PASSWORDS["ben"])
    page.wait_for_selector("#stage[data-index]")
    assert not page.locator("[data-ask]").count()
    assert not page.locator("dialog").count()


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(page: Page, guarded: Site, wanted: str) -> None:
    page.goto(f"{guarded.url}/login?next={wanted}")
    sign_in(page, "ada", PASSWORDS["ada"])
    expect(page).to_have_url(f"{guarded.url}/")


def test_a_page_that_is_open_leads_to_signing_in_when_the_session_is_over(
    page: Page, guarded: Site
) -> None:
    page.goto(guarded.url)
    sign_in(page, "ada", PASSWORDS["ada"])
    expect(page.locator("h1")).to_have_text("Today")
    page.context.clear_cookies()
    expect(page).to_have_url(re.compile("/login"), timeout=40_000)
