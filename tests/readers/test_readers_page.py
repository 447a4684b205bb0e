"""docs/readers.md says what the tests expect."""

from pathlib import Path

from tests.readers import table
from tests.readers.environments import PEERS
from tests.readers.expected import expected

PAGE = (Path(__file__).parents[2] / "docs" / "readers.md").read_text()
FOUR = ("plastimatch", "dcmrtstruct2nii", "platipy", "dicomrttool")


def test_the_page_has_the_table_and_the_reasons() -> None:
    assert "\n".join(table.lines()) in PAGE
    assert "\n".join(table.reasons()) in PAGE


def test_the_page_gives_the_pinned_versions() -> None:
    for path in PEERS.glob("*.txt"):
        name, version = path.read_text().splitlines()[1].split("==")
        assert f"| {name} | {version}" in PAGE


def test_the_four_other_readers_do_as_well_on_square_images_as_the_page_says() -> None:
    misses = expected([])
    for peer in FOUR:
        assert misses[peer]["oblong"] == misses[peer]["square"]
    assert f"{84 - sum(len(misses[peer]['oblong']) for peer in FOUR)} of their 84 cases" in PAGE
