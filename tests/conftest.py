"""What every test may use: the repository's samples, and outside programs where they exist."""

import logging
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.support.missing import unavailable
from tests.support.samples import SAMPLES

# several of these processes share the cores: threads of one would only wait for those of others
os.environ.setdefault("OMP_NUM_THREADS", "1")
# a busy machine is no fault of what is tested
settings.register_profile("slicewire", deadline=None)
settings.load_profile("slicewire")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Handlers and form of the logs are those of before again when a test has ended."""
    root, was_configured = logging.getLogger(), structlog.is_configured()
    handlers, level = root.handlers[:], root.level
    yield
    for one in root.handlers:
        if one not in handlers:
            one.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    if not was_configured:
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def cine_folder() -> Path:
    """The demo's patient: 22 instances, two phases at each of 11 positions, doubly oblique."""
    return SAMPLES / "sunnybrook" / "dicoms" / "SCD0000501"


@pytest.fixture(scope="session")
def ct_folder() -> Path:
    """A planning-like CT of 51 axial slices, 0.98 x 0.98 x 3.27 mm."""
    return SAMPLES / "sts" / "STS_003" / "image"


@pytest.fixture(scope="session")
def ct_structure_set() -> Path:
    """The structure set with one GTV that was drawn on `ct_folder`."""
    return next((SAMPLES / "sts" / "STS_003" / "mask").glob("*.dcm"))


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Series of every awkward kind, in folders below this one, NIfTI files beside some."""
    folder = tmp_path_factory.mktemp("zoo")
    with tarfile.open(SAMPLES / "zoo" / "zoo.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose outside program is missing; in CI that is a failure."""
    for mark in item.iter_markers("peer"):
        for program in mark.args:
            if shutil.which(program, path=":".join(_places())) is None:
                unavailable(f"{program} is not installed")


def _places() -> list[str]:
    """Where the system keeps programs; Debian keeps those of PostgreSQL apart."""
    return ["/usr/bin", "/usr/local/bin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
