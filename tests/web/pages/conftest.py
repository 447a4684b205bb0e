"""A clinic with a case of each kind, and its pages."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import FileDataset

from node.ledger.tables.instances import ABORTED
from tests.support.databases import is_sqlite
from tests.support.once import made_once
from tests.support.peers import write_series
from tests.support.web.clinic import SCRIPT, Clinic, open_clinic
from tests.support.web.serving import Site, serving
from tests.web.pages.reading import Numbers


def _renamed(data_set: FileDataset, _: int) -> None:
    data_set.PatientName, data_set.PatientID = SCRIPT, "4711"


def _opened(folder: Path) -> Clinic:
    return open_clinic(
        folder,
        peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}],
        webhook={"url": "https://user:pass@example.org/hook", "secret": "never shown"},
    )


def _fill(clinic: Clinic, cine_folder: Path, ct_folder: Path) -> Numbers:
    """One case that was run for real, one that is held, one that failed."""
    folder = clinic.configuration.storage_path.parent
    cine = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    done = clinic.receive(cine)
    clinic.run()
    ct = sorted(ct_folder.glob("*.dcm"))[:5]
    held = clinic.receive(write_series(ct, folder / "held", _renamed), outcome=ABORTED)
    failed = clinic.receive(write_series(ct, folder / "failed"))
    clinic.fail("Checkpoint broken.ckpt: no checkpoint")
    numbers = Numbers(done, held, failed)
    (folder / "numbers.json").write_text(json.dumps(vars(numbers)))
    return numbers


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, cine_folder: Path, ct_folder: Path) -> Clinic:
    """A copy for each module; running a case for real takes seconds."""

    def make(folder: Path) -> None:
        made = _opened(folder)
        _fill(made, cine_folder, ct_folder)
        made.completion.ledger.close()

    folder = tmp_path_factory.mktemp("clinic")
    if is_sqlite():
        shutil.copytree(made_once(tmp_path_factory, "pages", make), folder, dirs_exist_ok=True)
        return _opened(folder)
    opened = _opened(folder)
    _fill(opened, cine_folder, ct_folder)
    return opened


@pytest.fixture(scope="module")
def numbers(clinic: Clinic) -> Numbers:
    """The cases of the clinic."""
    folder = clinic.configuration.storage_path.parent
    return Numbers(**json.loads((folder / "numbers.json").read_text()))


@pytest.fixture(scope="module")
def site(clinic: Clinic, numbers: Numbers) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as opened:
        yield opened
