"""Changes that people will want: docs/architecture.md names where each is made and tested."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in PAGE.partition("## Where do I ...")[2].splitlines()
    if line.startswith("| ") and len(cells := line.strip("| ").split(" | ")) == 3
}
CHANGES = {
    "a kind of pipeline": "add a kind of pipeline",
    "DICOMweb STOW": "take instances from another source (DICOMweb STOW)",
    "de-identification for a peer": "send a peer something else than the results as made "
    "(de-identified)",
    "a reason to hold": "hold a series for another reason",
    "a retry of its own for a peer": "retry differently, a peer or all",
    "a column on Today": "change the columns of lists of cases (Today and Cases)",
    "a variant of structure sets": "write for another target system",
    "an augmentation": "augment otherwise, with an option",
}


def paths_in(cell: str) -> list[str]:
    """Paths from the root of the project that a cell of the table names."""
    return [name for name in re.findall(r"`([\w./]+)`", cell) if "/" in name]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_led_to_its_places_and_its_tests(change: str) -> None:
    places, tests = map(paths_in, ROWS[CHANGES[change]])
    assert places
    assert tests
    assert [path for path in places if not (ROOT / path).exists()] == []
    assert [path for path in tests if not (path[:6] == "tests/" and (ROOT / path).exists())] == []
