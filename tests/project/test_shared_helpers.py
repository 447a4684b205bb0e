"""What several test modules need is no test module: each can be read, moved and removed alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])


def imported_from_tests(module: Path) -> Iterator[Path]:
    """The files below tests/ that a module imports, by either form of the statement."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
            if path.is_relative_to(ROOT / "tests") and path.is_file():
                yield path


def is_allowed(module: Path, imported: Path) -> bool:
    """Whether `imported` is shared on purpose: in tests/support, or a helper of the same folder."""
    if imported.is_relative_to(ROOT / "tests" / "support"):
        return True
    return imported.parent == module.parent and not imported.name.startswith("test_")


def test_a_test_module_imports_helpers_of_its_folder_and_of_support_alone() -> None:
    found = [
        f"{module.relative_to(ROOT)} imports {imported.relative_to(ROOT)}"
        for module in MODULES
        for imported in imported_from_tests(module)
        if not is_allowed(module, imported)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "imported"),
    [
        ("from tests.conftest import pytest_runtest_setup", "tests/conftest.py"),
        ("from tests.project import test_shared_helpers", "tests/project/test_shared_helpers.py"),
        ("import tests.project.test_shared_helpers", "tests/project/test_shared_helpers.py"),
    ],
)
def test_such_an_import_is_found_in_each_form(tmp_path: Path, line: str, imported: str) -> None:
    module = tmp_path / "test_other.py"
    module.write_text(f"{line}\n")
    assert list(imported_from_tests(module)) == [ROOT / imported]
    assert not is_allowed(module, ROOT / imported)
