"""A site without users, open to this machine alone."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.web.serving import Site, serving, web_configuration


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(web_configuration(tmp_path / "storage")) as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as opened:
        yield opened
