"""The project builds on documented parts of pynetdicom: no subclass, no underscored member."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "imaging", "network", "model", "pipeline", "simulator", "node", "web", "slicewire")
MODULES = [
    *ROOT.glob("*.py"),
    *(path for room in (*ROOMS, "bench") for path in sorted((ROOT / room).rglob("*.py"))),
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MACHINERY = {"AE", "Association", "DULServiceProvider", "DIMSEServiceProvider", "ACSE", "evt"}
"""What of pynetdicom would run an association, so that there would be two of them."""


def imported(tree: ast.Module) -> dict[str, str]:
    """What of pynetdicom a module knows, by its own name for it."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pynetdicom"):
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            names = [one for one in node.names if one.name.startswith("pynetdicom")]
            found |= {one.asname or one.name: one.name for one in names}
    return found


def faults(source: str) -> Iterator[str]:
    """Subclasses of pynetdicom's classes, and underscored names of its modules and classes."""
    tree = ast.parse(source)
    known = imported(tree)
    for name in known.values():
        if any(part.startswith("_") for part in name.split(".")):
            yield f"imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).split(".")[0] for base in node.bases}
            yield from (f"{node.name} is a {known[one]}" for one in bases & known.keys())
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = ast.unparse(node.value).split(".")[0].split("(")[0]
            if owner in known:
                yield f"uses {ast.unparse(node)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_documented_parts_are_used(path: Path) -> None:
    assert list(faults(path.read_text())) == []


def test_tests_know_no_private_part_of_a_stock_association() -> None:
    """A variable's type is not known here: the parts that tests might want are looked for."""
    private = "association._reactor", "association._acse", "association._dimse", "association._dul"
    found = [path for path in TESTS if any(one in path.read_text() for one in private)]
    assert found == [Path(__file__)]


def test_no_room_runs_an_association_of_pynetdicoms() -> None:
    """Stock pynetdicom is a peer, in tests and benchmarks alone."""
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] != "bench":
            names = {name.split(".")[-1] for name in imported(ast.parse(path.read_text())).values()}
            assert not names & MACHINERY, path


@pytest.mark.parametrize(
    "source",
    [
        "from pynetdicom import _config",
        "from pynetdicom._globals import MODE_ACCEPTOR",
        "from pynetdicom.association import Association\nclass Mine(Association): pass",
        "import pynetdicom\nclass Mine(pynetdicom.AE): pass",
        "from pynetdicom import evt\nevt._INTERVENTION_EVENTS",
        "from pynetdicom import AE\nAE()._servers",
    ],
)
def test_what_is_not_documented_is_found(source: str) -> None:
    assert len(list(faults(source))) >= 1
