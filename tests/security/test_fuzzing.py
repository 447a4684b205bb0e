"""Mutated bytes at every parser of a peer's bytes: a few here, a million by hand."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.fuzz import CORPUS, run, try_one
from tests.security.fuzz_targets import SYNTAXES, Targets

STREAMS = ("associate", "stream", "command", "reception", "reception_command")
NAMES = (*STREAMS, *(f"data_set_{syntax}" for syntax in SYNTAXES))


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    """The parsers, with a storage folder."""
    yield Targets(tmp_path_factory.mktemp("storage"))


@pytest.mark.filterwarnings("ignore")
def test_mutated_inputs_are_taken_or_refused(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    assert run(1500, seed=20, storage=storage, tell=lambda _: None) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["storage"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
def test_many_mutated_inputs_are_taken_or_refused(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    assert run(20_000, seed=21, storage=storage, seconds=240, tell=lambda _: None) == 0


@pytest.mark.filterwarnings("ignore")
def test_the_seeds_are_good_inputs(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    targets = Targets(tmp_path / "storage")
    seeds = targets.seeds()
    assert set(seeds) == set(NAMES)
    for name, contents in seeds.items():
        for content in contents:
            targets.give(name, content)
    assert targets.outcomes["data set: refused"] == 0
    assert targets.outcomes["associate: refused"] == 0


def test_what_was_found_is_kept_and_belongs_to_a_target() -> None:
    """An empty folder, or a name that nothing reads, would pass the next test unseen."""
    kept = sorted(CORPUS.iterdir())
    assert len(kept) >= 7  # so many were found until 0.1.0
    for path in kept:
        name, _, digest = path.stem.rpartition("-")
        assert path.suffix == ".bin"
        assert name in NAMES
        assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.bin")), ids=lambda path: path.stem)
def test_what_was_found_once_is_refused_now(targets: Targets, path: Path) -> None:
    name = path.stem.rpartition("-")[0]
    said: list[str] = []
    assert try_one(targets, name, path.read_bytes(), tell=said.append), said


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@given(content=st.binary(max_size=300))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_taken_or_refused(targets: Targets, name: str, content: bytes) -> None:
    targets.give(name, content)
