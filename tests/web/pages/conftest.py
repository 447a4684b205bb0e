"""A clinic with a case of each kind, and its pages."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import FileDataset

from node.ledger.tables.instances import ABORTED
from tests.support.peers import write_series
from tests.support.web.clinic import SCRIPT, Clinic, open_clinic
from tests.support.web.serving import Site, serving
from tests.web.pages.reading import Numbers


def _renamed(data_set: FileDataset, _: int) -> None:
    data_set.PatientName, data_set.PatientID = SCRIPT, "4711"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return open_clinic(
        tmp_path_factory.mktemp("clinic"),
        peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}],
        webhook={"url": "https://user:pass@example.org/hook", "secret": "never shown"},
    )


@pytest.fixture(scope="module")
def numbers(clinic: Clinic, cine_folder: Path, ct_folder: Path) -> Numbers:
    """One case that was run for real, one that is held, one that failed."""
    folder = clinic.configuration.storage_path.parent
    cine = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    done = clinic.receive(cine)
    clinic.run()
    ct = sorted(ct_folder.glob("*.dcm"))[:5]
    held = clinic.receive(write_series(ct, folder / "held", _renamed), outcome=ABORTED)
    failed = clinic.receive(write_series(ct, folder / "failed"))
    clinic.fail("Checkpoint broken.ckpt: no checkpoint")
    return Numbers(done, held, failed)


@pytest.fixture(scope="module")
def site(clinic: Clinic, numbers: Numbers) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as opened:
        yield opened
