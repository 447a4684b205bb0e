"""Associations, folders and uploads bring instances by one protocol; another kind is one class."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from core.config.settings import Configuration
from core.folders import files_below
from core.storage_layout import StorageLayout
from network.sender import Sender
from node.completion.sources.importer import SOURCES, Importer
from node.completion.sources.source import SourceEnd
from node.ledger.requests.requested_jobs import (
    UPLOADS,
    JobDescription,
    RequestedJob,
    find_requested_job,
    mark_read,
    request_job,
)
from node.ledger.requests.requests import request_by_sender, requests_of
from node.ledger.schema import events
from node.ledger.tables.instances import ABORTED, last_association
from node.ledger.tables.series import series_of_association, settle
from tests.support.completion import SETTLE_S, Completion, Start, series_uid

POSTED = "posted"


@dataclass(frozen=True)
class PostedSource:
    """Several series that somebody posted, for which the rules decide (as DICOMweb STOW would)."""

    configuration: Configuration
    requested_job: RequestedJob

    @property
    def sender(self) -> Sender:
        return Sender("STOW", self.configuration.ae_title, self.requested_job.asked.address)

    def find(self) -> Sequence[Path]:
        return files_below(Path(self.requested_job.asked.folder), most=1000)

    def conclude(self, connection: Connection, end: SourceEnd) -> Sequence[str]:
        uids = series_of_association(connection, end.association)
        for uid in uids:
            settle(connection, uid, self.sender, end.at + SETTLE_S)
            request_by_sender(connection, uid, self.sender, outcome=end.outcome, now=end.at)
        mark_read(connection, self.requested_job.uid, "")
        return list(uids)

    def clear(self) -> None:
        shutil.rmtree(self.requested_job.asked.folder)


def ask(
    completion: Completion, root: str, folder: str = "", pipeline: str = "", uid: str = ""
) -> str:
    asked = JobDescription(pipeline, root, folder, person="eve", address="192.0.2.9")
    with completion.ledger.writing() as connection:
        return request_job(connection, asked, completion.clock.now, uid)


def importer_of(completion: Completion, **more: type[PostedSource]) -> Importer:
    return Importer(
        completion.configuration,
        completion.ledger,
        completion.instance_store,
        series_completion=completion.series_completion,
        sources={**SOURCES, **more},
    )


def copied(paths: Sequence[Path], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for path in paths:
        shutil.copy(path, folder / path.name)
    return folder


def test_another_source_is_one_class_and_its_series_go_by_the_rules(
    start: Start, ct_paths: list[Path], cine_folder: Path, tmp_path: Path
) -> None:
    rules = [{"calling_ae_title": "STOW", "pipeline": "blur"}]
    completion = start(pipeline=None, rules=rules)
    cine = sorted(cine_folder.glob("*.dcm"))
    folder = copied([*ct_paths, *cine], tmp_path / "posted")
    importer = importer_of(completion, posted=PostedSource)
    uid = ask(completion, POSTED, str(folder))
    assert importer.read_next()
    completion.settle()
    (job,) = completion.jobs(ct_paths)
    assert job.request.pipeline == "blur"
    for paths in (ct_paths, cine):
        with completion.ledger.reading() as connection:
            (request,) = requests_of(connection, series_uid(paths))
        assert str(request.sender) == "STOW@192.0.2.9 to SLICEWIRE"
    assert not folder.exists()
    with completion.ledger.reading() as connection:
        requested_job = find_requested_job(connection, uid)
    assert requested_job is not None
    assert (requested_job.state, requested_job.asked.folder) == ("read", "")


def test_an_upload_is_read_and_removed(completion: Completion, ct_paths: list[Path]) -> None:
    layout = StorageLayout(completion.configuration.storage_path)
    copied(ct_paths, layout.upload("ab"))
    uid = ask(completion, UPLOADS, "ab", "blur", uid="ab")
    assert importer_of(completion).read_next()
    completion.settle(0)
    with completion.ledger.reading() as connection:
        (request,) = requests_of(connection, series_uid(ct_paths))
    assert (request.order_uid, request.source, request.pipeline) == (uid, "upload", "blur")
    assert request.asker == "eve from 192.0.2.9, upload"
    assert not layout.upload("ab").exists()


@pytest.mark.parametrize("count", [1, 3])
def test_a_source_that_fails_ends_as_one_that_was_cut_off(
    completion: Completion, ct_paths: list[Path], count: int
) -> None:
    """What it brought before stays and is not taken for whole."""
    layout = StorageLayout(completion.configuration.storage_path)
    folder = copied(ct_paths, layout.upload("ab"))
    broken = folder / ct_paths[count].name
    broken.write_bytes(broken.read_bytes()[:-1000])
    ask(completion, UPLOADS, "ab", "blur", uid="ab")
    assert importer_of(completion).read_next()
    with completion.ledger.reading() as connection:
        last = last_association(connection, series_uid(ct_paths))
    assert last is not None
    assert (last[0].is_folder, last[1]) == (True, ABORTED)
    assert completion.words(ct_paths)[0] == "not read to its end"
    assert not folder.exists()


def test_an_order_from_a_source_that_is_no_more_fails_and_holds_up_no_other(
    completion: Completion, ct_paths: list[Path]
) -> None:
    first = ask(completion, POSTED, "/nowhere")
    layout = StorageLayout(completion.configuration.storage_path)
    copied(ct_paths, layout.upload("ab"))
    ask(completion, UPLOADS, "ab", "blur", uid="ab")
    importer = importer_of(completion)
    assert importer.read_next()
    assert importer.read_next()
    with completion.ledger.reading() as connection:
        failed, second = find_requested_job(connection, first), find_requested_job(connection, "ab")
        words = connection.scalars(select(events.c.words).order_by(events.c.id)).all()
    assert failed is not None
    assert (failed.state, failed.words) == ("failed", "there is no source posted any more")
    told = [f"job {first}, by eve from 192.0.2.9", f"job {first}: {failed.words}"]
    assert [one for one in words if first in one] == told  # no pipeline was named
    assert "job ab (blur), by eve from 192.0.2.9" in words
    assert second is not None
    assert second.state == "read"
