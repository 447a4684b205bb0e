"""Paths, modules, commands and tests that documentation and docstrings name exist."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = (
    "core",
    "imaging",
    "network",
    "model",
    "pipeline",
    "simulator",
    "node",
    "web",
    "slicewire",
    "bench",
)
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
CONFIG = (ROOT / "config.yaml").read_text()
CODE = tuple(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))

_FILE = re.compile(r"(?<![\w./<{-])([\w.*/-]*[\w*]\.(?:py|js|md))(?![\w/])")
_FOLDER = re.compile(rf"`((?:{'|'.join(ROOMS)}|tests|docs|samples)(?:/[\w*]+)+)/?`")
_MODULE = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.\w+)+)`")
_RUN = re.compile(r"python -m ([\w.]+)")
_MAKE = re.compile(r"`make ([a-z-]+)`")
_TEST = re.compile(r"\b(test_\w+)\b(?!\.py|\.\w)")


def docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


@functools.cache
def texts() -> dict[str, str]:
    """Pages, and the docstrings of each module; read by the process that asks alone."""
    return {
        **{str(path.relative_to(ROOT)): path.read_text() for path in PAGES},
        **{str(path.relative_to(ROOT)): "\n".join(docstrings(path)) for path in CODE},
    }


@functools.cache
def names() -> frozenset[str]:
    """Of all files and folders."""
    folders = (*ROOMS, "tests", "docs", "samples")
    return frozenset(path.name for folder in folders for path in (ROOT / folder).rglob("*"))


def is_here(name: str) -> bool:
    """A path from the root or from tests/, `*` for anything; or the bare name of a file."""
    if "/" in name or "*" in name:
        return any(True for root in (ROOT, ROOT / "tests") for _ in root.glob(name))
    return name in names() or (ROOT / name).is_file()


def module_exists(name: str) -> bool:
    """A module, a package, or what one of them defines at its top."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, attribute = name.rpartition(".")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py")
    if not source.is_file():
        return bool(module) and "." in module and attribute_of_class(module, attribute)
    return re.search(rf"^(?:def |class )?{attribute}\b", source.read_text(), re.M) is not None


def attribute_of_class(owner: str, attribute: str) -> bool:
    module, _, name = owner.rpartition(".")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py")
    return source.is_file() and {name, attribute} <= set(re.findall(r"\w+", source.read_text()))


def is_setting(name: str) -> bool:
    """Keys of config.yaml are written like modules: `web.hosts`."""
    return re.search(rf"^[ #]*{name.rpartition('.')[2]}:", CONFIG, re.M) is not None


def can_run(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_every_path_exists() -> None:
    named = [
        (page, name)
        for page, text in texts().items()
        for name in (*_FILE.findall(text), *_FOLDER.findall(text))
    ]
    assert len(named) > 200
    assert [one for one in named if not is_here(one[1])] == []


def test_every_module_exists() -> None:
    named = [(page, name) for page, text in texts().items() for name in _MODULE.findall(text)]
    assert len(named) > 10
    assert [one for one in named if not (module_exists(one[1]) or is_setting(one[1]))] == []


def test_every_module_that_is_to_be_run_can_be() -> None:
    named = [(page, name) for page, text in texts().items() for name in _RUN.findall(text)]
    ours = [one for one in named if one[1].split(".")[0] in (*ROOMS, "tests")]
    assert len(ours) > 10
    assert [one for one in ours if not can_run(one[1])] == []


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {name for text in texts().values() for name in _MAKE.findall(text)}
    assert len(named) > 3
    assert named <= targets


def test_every_test_that_is_named_exists() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"def (test_\w+)", sources))
    known |= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = {name for text in texts().values() for name in _TEST.findall(text)}
    assert named - known == set()
