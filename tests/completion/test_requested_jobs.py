"""Jobs asked for by name on a folder: the same gate, the named pipeline, results that stay here."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest
from sqlalchemy import Connection

from imaging.geometry.placement import RULES_2D, RULES_3D
from network.file_meta import encode_file_meta
from node.commands import ask, carry_out
from node.completion.routing import Router
from node.completion.series_completion import SeriesCompletion
from node.completion.sources.importer import Importer
from node.ledger.requests.requested_jobs import (
    IN_DIR,
    JobDescription,
    RequestedJob,
    find_requested_job,
    request_job,
)
from node.ledger.tables.instances import RELEASED, StoredInstance
from node.ledger.tables.series import instances_of
from node.verbs import CANCEL, RELEASE
from tests.support.completion import Completion, Start
from tests.support.dicom.rewritten import BIG_ENDIAN, encoded_in
from tests.support.peers import EXPLICIT, IMPLICIT

Asking = tuple[Completion, Importer, Path]


@pytest.fixture
def asking(start: Start, tmp_path: Path) -> Asking:
    root = tmp_path / "root"
    root.mkdir()
    completion = start(
        pipeline=None,
        web={"in_dir_root": root},
        peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}],
        rules=[{"pipeline": "unet"}],
    )
    importer = Importer(
        completion.configuration,
        completion.ledger,
        completion.instance_store,
        series_completion=completion.series_completion,
    )
    return completion, importer, root


def fill(root: Path, paths: Sequence[Path], name: str = "case") -> str:
    folder = root / name
    folder.mkdir(exist_ok=True)
    for path in paths:
        shutil.copy(path, folder / path.name)
    return name


def requested_job(asking: Asking, folder: str, pipeline: str = "blur", **more: Any) -> RequestedJob:
    """Asked for, read and looked at."""
    completion, importer, _ = asking
    with completion.ledger.writing() as connection:
        uid = request_job(connection, JobDescription(pipeline, IN_DIR, folder, **more), 0.0)
    importer.read_next()
    completion.series_completion.examine_due()
    completion.series_completion.examine_due()
    return again(completion, uid)


def again(completion: Completion, uid: str) -> RequestedJob:
    with completion.ledger.reading() as connection:
        found = find_requested_job(connection, uid)
    assert found is not None
    return found


def ct_paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.dcm"))[:12]


def test_a_folder_runs_the_named_pipeline_alone_and_goes_nowhere(
    asking: Asking, ct_folder: Path
) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)
    placed = requested_job(asking, fill(root, paths))
    assert placed.state == "submitted"
    (job,) = completion.jobs(paths)
    assert (job.job_id, job.request.pipeline, job.destinations) == (placed.job_id, "blur", ())
    assert len(job.request.instance_paths) == len(paths)
    assert placed.asked.folder == ""  # its name may say too much


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (IMPLICIT, "file 2 of 5: Instance {}: encoded as implicit VR LE, its transfer syntax is"),
        (BIG_ENDIAN, "a DICOM file of the folder: encoded as explicit VR BE, its transfer syntax"),
    ],
)
def test_a_file_that_contradicts_itself_fails_the_order_and_leaves_no_part(
    asking: Asking, ct_folder: Path, syntax: str, words: str
) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)[:5]
    name = fill(root, paths)
    wrong = root / name / paths[1].name
    data_set = pydicom.dcmread(wrong)
    meta = encode_file_meta(data_set.SOPClassUID, data_set.SOPInstanceUID, EXPLICIT)
    wrong.write_bytes(meta + encoded_in(syntax, data_set))
    placed = requested_job(asking, name)
    assert placed.state == "failed"
    assert words.format(data_set.SOPInstanceUID) in placed.words
    assert completion.jobs(paths) == []


def test_results_go_to_the_peers_that_the_order_names(asking: Asking, ct_folder: Path) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)
    requested_job(asking, fill(root, paths), destinations=("tps",))
    (job,) = completion.jobs(paths)
    assert [one.peer for one in job.destinations] == ["tps"]


def test_two_pipelines_on_one_folder_are_two_jobs(asking: Asking, ct_folder: Path) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)
    name = fill(root, paths)
    first, second = requested_job(asking, name, "blur"), requested_job(asking, name, "unet")
    assert {first.job_id, second.job_id} == {job.job_id for job in completion.jobs(paths)}


def test_a_series_that_a_peer_sent_keeps_its_own_job_and_destination(
    asking: Asking, ct_folder: Path
) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)
    completion.send(paths)
    completion.settle()
    requested_job(asking, fill(root, paths))
    sent, asked = completion.jobs(paths)
    assert (sent.request.pipeline, [one.peer for one in sent.destinations]) == ("unet", ["tps"])
    assert (asked.request.pipeline, asked.destinations) == ("blur", ())
    assert completion.series(paths).sender.calling_ae_title == "TPS"


def test_a_gap_holds_the_order_until_the_rest_is_there(asking: Asking, ct_folder: Path) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)
    uids = {path: place_of(path) for path in paths}
    inner = sorted(paths, key=lambda path: uids[path])[5]
    placed = requested_job(asking, fill(root, [path for path in paths if path != inner]))
    assert placed.state == "held"
    assert "gap" in placed.words or "spacing" in placed.words
    assert completion.series(paths).state == "held"
    whole = requested_job(asking, fill(root, paths, "whole"))
    assert whole.state == "submitted"
    assert again(completion, placed.uid).job_id == whole.job_id


def test_an_order_waits_until_the_files_of_its_series_are_made(
    asking: Asking, ct_folder: Path
) -> None:
    completion, importer, root = asking
    paths = ct_paths(ct_folder)
    answers = iter([True])
    series_completion = SeriesCompletion(
        completion.configuration,
        completion.ledger,
        Router(completion.configuration, ("127.0.0.1", 11112)),
        geometry_rules={"unet": RULES_2D, "blur": RULES_3D},
        waits_for_files=lambda _: next(answers, False),
    )
    with completion.ledger.writing() as connection:
        uid = request_job(connection, JobDescription("blur", IN_DIR, fill(root, paths)), 0.0)
    importer.read_next()
    series_completion.examine_due()
    assert (again(completion, uid).state, completion.jobs(paths)) == ("read", [])
    series_completion.examine_due()
    assert again(completion, uid).state == "submitted"


def test_an_order_does_not_fail_by_an_instance_that_comes_while_it_is_judged(
    asking: Asking, ct_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    completion, _, root = asking
    *most, last = sorted(ct_paths(ct_folder), key=place_of)
    association, log = completion.open(), completion.instance_store.wal_writer.open()

    def one_more(connection: Connection, uid: str) -> list[StoredInstance]:
        completion.receive(association, [last], log)  # it has no file yet
        monkeypatch.undo()
        return instances_of(connection, uid)

    monkeypatch.setattr("node.completion.series_completion.instances_of", one_more)
    placed = requested_job(asking, fill(root, most))
    assert (placed.state, placed.words) == ("read", "")
    log.close()
    completion.instance_store.wal_writer.close()
    assert completion.instance_store.checkpointer.finish(20.0)
    completion.series_completion.association_ended(association, RELEASED)
    completion.settle()
    (job,) = [one for one in completion.jobs(most) if one.request.pipeline == "blur"]
    assert again(completion, placed.uid).job_id == job.job_id
    assert len(job.request.instance_paths) == len(most) + 1


def test_cancelling_the_series_cancels_what_was_asked(asking: Asking, ct_folder: Path) -> None:
    completion, _, root = asking
    paths = sorted(ct_paths(ct_folder), key=place_of)
    placed = requested_job(asking, fill(root, [*paths[:4], *paths[6:]]))
    uid = completion.series(paths).series_instance_uid
    ask(completion.ledger, RELEASE, uid)
    carry_out(completion.ledger)
    completion.series_completion.examine_due()
    completion.series_completion.examine_due()
    assert again(completion, placed.uid).state == "held"  # geometry is nobody's to release
    ask(completion.ledger, CANCEL, uid)
    carry_out(completion.ledger)
    assert again(completion, placed.uid).state == "cancelled"


def test_a_folder_of_two_series_is_refused_unless_one_is_named(
    asking: Asking, ct_folder: Path, cine_folder: Path
) -> None:
    _, _, root = asking
    paths = ct_paths(ct_folder)
    fill(root, sorted(cine_folder.glob("*.dcm")))
    name = fill(root, paths)
    refused = requested_job(asking, name)
    assert refused.state == "failed"
    assert "2 series" in refused.words
    uid = completion_uid(paths)
    assert uid in refused.words
    assert requested_job(asking, name, wanted=uid).state == "submitted"


def test_a_folder_without_images_fails_with_the_reason(asking: Asking) -> None:
    _, _, root = asking
    folder = root / "empty"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing")
    placed = requested_job(asking, "empty")
    assert placed.state == "failed"
    assert "no DICOM images among the 1 files" in placed.words


def test_a_file_that_is_cut_short_fails_the_order_and_runs_nothing(
    asking: Asking, ct_folder: Path
) -> None:
    completion, _, root = asking
    paths = ct_paths(ct_folder)
    fill(root, paths)
    last = root / "case" / paths[-1].name
    last.write_bytes(last.read_bytes()[:-1000])
    placed = requested_job(asking, "case")
    assert placed.state == "failed"
    assert f"file {len(paths)} of {len(paths)}" in placed.words
    assert paths[-1].name not in placed.words
    assert completion.jobs(paths) == []


@pytest.mark.parametrize("name", ["../root/case", "/etc", "link", "", ".", "nowhere", "a\0b"])
def test_a_folder_elsewhere_is_refused(asking: Asking, ct_folder: Path, name: str) -> None:
    _, _, root = asking
    fill(root, ct_paths(ct_folder)[:1])
    (root / "link").symlink_to("/etc")
    placed = requested_job(asking, name)
    assert placed.state == "failed"
    assert placed.words.startswith("in_dir: expected")


def place_of(path: Path) -> float:
    return float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2])


def completion_uid(paths: Sequence[Path]) -> str:
    return str(pydicom.dcmread(paths[0], stop_before_pixels=True).SeriesInstanceUID)
