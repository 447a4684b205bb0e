"""Results on their way to a person, who may have them as long as the download lasts, or not."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.web.people import signed_in, write_users
from tests.support.web.serving import Site
from tests.web.working_node import working
from web.auth.passwords import Passwords
from web.auth.user_file import OPERATOR, User, UserFile

LARGE_BYTES = 96 << 20
"""More than the system holds of what was sent and not read yet."""


@dataclass
class Reader:
    """Ada, a download of large results, and the file of users."""

    client: httpx.Client
    address: str
    users: UserFile

    def sign_out(self) -> None:
        headers = {"X-CSRF-Token": self.client.headers["X-CSRF-Token"]}
        url, cookies = self.client.base_url, dict(self.client.cookies)
        with httpx.Client(base_url=url, cookies=cookies, headers=headers, timeout=120) as other:
            assert other.post("/api/logout").status_code == 204

    def be_removed(self) -> None:
        assert self.users.remove("ada")

    def get_another_password(self) -> None:
        self.users.write(User("ada", OPERATOR, Passwords().hash("another password")))


@pytest.fixture(scope="module")
def site_of_ada(
    tmp_path_factory: pytest.TempPathFactory, ct_paths: list[Path]
) -> Iterator[tuple[Site, str]]:
    folder = tmp_path_factory.mktemp("downloads")
    write_users(folder / "storage")
    with working(folder) as node:
        (node.root / "ct").mkdir()
        shutil.copy(ct_paths[0], node.root / "ct")
        with signed_in(node.site, "ada") as client:
            client.post("/job/", json={"job_name": "blur", "in_dir": "ct"})
        node.work()
        job_id = node.start_job()
        with (node.finish(job_id) / "dicom" / "1.dcm").open("wb") as file:
            file.truncate(LARGE_BYTES)
        yield node.site, f"/api/jobs/{job_id}/results.zip"


@pytest.fixture
def ada(site_of_ada: tuple[Site, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    site, address = site_of_ada
    write_users(site.settings.storage_path)
    monkeypatch.setattr("web.download._LOOK_EVERY_S", 0.0)
    with signed_in(site, "ada") as client:
        yield Reader(client, address, UserFile(site.settings.users_path))


@pytest.mark.parametrize("end", [Reader.sign_out, Reader.be_removed, Reader.get_another_password])
def test_it_is_cut_off_with_the_right_to_it(ada: Reader, end: Callable[[Reader], None]) -> None:
    with ada.client.stream("GET", ada.address) as answer:
        received = answer.iter_raw()
        next(received)
        end(ada)
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in received:
                pass


def test_it_arrives_whole_as_long_as_the_right_lasts(ada: Reader) -> None:
    with ada.client.stream("GET", ada.address) as answer:
        assert sum(map(len, answer.iter_raw())) > LARGE_BYTES
