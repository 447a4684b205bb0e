"""A site without users, open to this machine alone; one with a node that works when told."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.web.serving import Site, serving, web_configuration
from tests.web.working_node import WorkingNode, working

PEER = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(web_configuration(tmp_path / "storage")) as served:
        yield served


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that change nothing."""
    with serving(web_configuration(tmp_path_factory.mktemp("site") / "storage")) as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as opened:
        yield opened


@pytest.fixture
def node(tmp_path: Path, ct_paths: list[Path]) -> Iterator[WorkingNode]:
    """With the folder `ct` below its root."""
    with working(tmp_path, peers=[PEER]) as started:
        folder = started.root / "ct"
        folder.mkdir()
        for path in ct_paths:
            shutil.copy(path, folder)
        yield started


@pytest.fixture
def ask(node: WorkingNode) -> Iterator[httpx.Client]:
    """A client of that node's site."""
    with node.site.client() as opened:
        yield opened


@pytest.fixture(scope="session")
def ct_paths(ct_folder: Path) -> list[Path]:
    """The first eight slices."""
    return sorted(ct_folder.glob("*.dcm"))[:8]
