"""The storage folder's names are in one place, and stay those of earlier versions."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage_layout import IN_LEDGER, StorageLayout, other_content, uncommitted

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "imaging", "network", "pipeline", "simulator", "node", "web", "bench")
CODE = (
    *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))),
    *sorted(ROOT.glob("*.py")),
)
LAYOUT = ROOT / "core" / "storage_layout.py"

OWN_NAMES = frozenset(("ledger.sqlite", "ledger.id", "debug.log", "web.log", "web.key")) | {
    *("users.json", "users.seen", "sessions.ended", "incoming", "scratch", "attempt-"),
}
"""Nothing else is called so."""
WORDS = frozenset(["lock", "instances", "results", "uploads"])
"""Names too, where a path is made of them."""
PATH_CALLS = frozenset(("Path", "joinpath", "with_name", "glob", "rglob"))


def spelled(tree: ast.Module) -> Iterator[str]:
    """Names of the storage folder in code; not in sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and str(node.value).strip("/*") in OWN_NAMES:
            yield str(node.value)
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            parts = list(node.args) if name in PATH_CALLS else []
        elif isinstance(node, ast.Assign):
            names = [one.id for one in node.targets if isinstance(one, ast.Name)]
            is_file = any(one.endswith(("_FOLDER", "_FILE", "_PATH")) for one in names)
            parts = [node.value] if is_file else []
        for part in parts:
            if isinstance(part, ast.Constant) and str(part.value).split("/")[0] in WORDS:
                yield str(part.value)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_spells_a_name_of_the_storage_folder(path: Path) -> None:
    found = sorted(set(spelled(ast.parse(path.read_text()))))
    assert path == LAYOUT or not found, f"{path.relative_to(ROOT)}: {found}"


@pytest.mark.parametrize(
    "line",
    [
        'file = storage_path / "lock"',
        'folder = Path(storage_path, "results", job_id)',
        'UPLOADS_FOLDER = "uploads"',
        'found = storage_path.glob("instances/*")',
        'name = "web.key"',
        'found = results.glob("attempt-*")',
    ],
)
def test_a_spelled_name_is_found(line: str) -> None:
    assert list(spelled(ast.parse(line)))


def test_names_are_those_of_earlier_versions() -> None:
    layout = StorageLayout(Path("/s"))
    assert {name: str(path) for name, path in _paths(layout).items()} == {
        "lock": "/s/lock",
        "ledger": "/s/ledger.sqlite",
        "ledger_id": "/s/ledger.id",
        "node_log": "/s/debug.log",
        "web_log": "/s/web.log",
        "users": "/s/users.json",
        "session_key": "/s/web.key",
        "incoming": "/s/incoming",
        "instances": "/s/instances",
        "results": "/s/results",
        "scratch": "/s/scratch",
        "uploads": "/s/uploads",
    }
    assert layout.instance("1.2", "1.3", "1.4") == Path("/s/instances/1.2/1.3/1.4.dcm")
    assert layout.results_of("ab") == Path("/s/results/ab")
    assert layout.upload("cd") == Path("/s/uploads/cd")
    assert layout.users_seen() == Path("/s/users.seen")
    assert layout.ended_sessions() == Path("/s/sessions.ended")


def _paths(layout: StorageLayout) -> dict[str, Path]:
    names = [name for name, one in vars(StorageLayout).items() if isinstance(one, property)]
    return {name: getattr(layout, name) for name in names}


def test_rows_of_the_ledger_have_paths_relative_to_the_storage_folder() -> None:
    assert str(IN_LEDGER.instance("1.2", "1.3", "1.4")) == "instances/1.2/1.3/1.4.dcm"
    assert str(IN_LEDGER.results_of("ab")) == "results/ab"


def test_another_content_lies_beside_the_first_one() -> None:
    found = other_content(Path("instances/1.2/1.3/1.4.dcm"), "0123456789abcdef" * 4)
    assert found == Path("instances/1.2/1.3/1.4.0123456789abcdef.dcm")


def test_uncommitted_results_are_found_at_the_next_start(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    kept, left = layout.results_of("ab"), uncommitted(layout.results_of("cd"), "1")
    kept.mkdir(parents=True)
    left.mkdir()
    assert list(layout.uncommitted_results()) == [left]
