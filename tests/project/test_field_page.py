"""docs/field.md names tests that exist, one in every row."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs/field.md").read_text().splitlines()
    if re.match(r"\| [A-Za-z].*#", line)
]


def test_every_row_names_one_test() -> None:
    assert len(ROWS) >= 10
    for row in ROWS:
        assert len(re.findall(r"`[\w/]+\.py::test_\w+`", row)) == 1, row


def test_every_test_that_a_row_names_exists() -> None:
    for row in ROWS:
        for path, name in re.findall(r"`([\w/]+\.py)::(test_\w+)`", row):
            tree = ast.parse((ROOT / "tests" / path).read_text())
            assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, row
