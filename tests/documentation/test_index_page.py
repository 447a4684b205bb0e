"""README is a door, and docs/README.md leads to every page, in four kinds."""

import re
from pathlib import Path

import pytest

from tests.support.documented.commands import PAGES, ROOT, blocks, indented

INDEX = (ROOT / "docs" / "README.md").read_text()
KINDS = ("Tutorial", "How to", "Reference", "Explanation")
LANGUAGES = {"sh", "yaml", "python", "json", "text", "sql"}
_LINK = re.compile(r"\]\(([^)#:]+)?(?:#([^)]+))?\)")
_TYPED = re.compile(r"^(\.venv|python|curl|make|slicewire|env/|/usr/)\b")


def test_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_index_has_the_four_kinds_of_pages() -> None:
    assert tuple(re.findall(r"^## (.*)$", INDEX, re.MULTILINE)) == KINDS


def test_the_index_names_every_page_once() -> None:
    linked = [target for target, _ in _LINK.findall(INDEX) if target.endswith(".md")]
    pages = [page.name for page in PAGES[1:] if page.name != "README.md"]
    assert sorted(linked) == pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages_and_headings(page: Path) -> None:
    for target, heading in _LINK.findall(page.read_text()):
        there = page.parent / target if target else page
        assert there.exists(), target
        if heading:
            assert heading in _headings(there), f"{target}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_stand_in_blocks_of_their_language(page: Path) -> None:
    """So that they are found, and run, by the tests."""
    assert {one.language for one in blocks(page)} <= LANGUAGES
    assert [line for line in indented(page) if _TYPED.match(line)] == []


def _headings(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in titles}
