"""A lost ledger is made again from instances and results; nothing runs or is sent by itself."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pydicom
import pytest
import sqlalchemy
import yaml
from sqlalchemy import delete

from core.config.file import read_configuration
from core.errors import ConfigurationError
from core.job import JobResult, OutputInstance
from core.storage_layout import StorageLayout
from node.completion.decisions import UNKNOWN_SENDER, Decisions
from node.completion.judgement import Judged
from node.ledger.__main__ import main
from node.ledger.database import Ledger
from node.ledger.schema import instances, metadata
from node.ledger.views.receipts import receipt_of
from node.ledger.views.series_history import history_of
from node.lock import StorageLock
from node.preflight import node_findings
from node.rebuilding.rebuild import Rebuilt, is_lost, rebuild
from node.retention import Retention
from tests.support.completion import Completion, Start, series_uid
from tests.support.databases import database_url_for, is_sqlite, open_test_ledger

KEPT = (
    "sop_instance_uid",
    "sha256",
    "study_instance_uid",
    "series_instance_uid",
    "path",
    "sop_class_uid",
    "transfer_syntax_uid",
    "size_bytes",
    "made_here",
    "differs",
)


def with_other_pixels(path: Path, to: Path) -> Path:
    """A copy under the same UIDs."""
    data_set = pydicom.dcmread(path)
    data_set.PixelData = bytes(len(data_set.PixelData))
    data_set.save_as(to)
    return to


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    with ledger.reading() as connection:
        found = connection.execute(instances.select()).mappings()
        return sorted(({name: one[name] for name in KEPT} for one in found), key=str)


def lose(completion: Completion) -> None:
    """The ledger is gone, the storage folder is not."""
    storage = completion.configuration.storage_path
    if is_sqlite():
        completion.ledger.close()
        for path in storage.glob("ledger.sqlite*"):
            path.unlink()
        return
    with completion.ledger.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name not in ("alembic_version", "identity"):
                connection.execute(delete(table))


def rebuilt(completion: Completion) -> tuple[Rebuilt, Ledger]:
    configuration = completion.configuration
    return rebuild(configuration), open_test_ledger(configuration.storage_path, completion.clock)


@pytest.fixture
def stored(start: Start, ct_paths: list[Path], tmp_path: Path) -> Completion:
    """Ten instances, one of them with two contents."""
    completion = start(database_url=database_url_for(tmp_path / "storage"))
    completion.send(ct_paths)
    completion.send([with_other_pixels(ct_paths[0], tmp_path / "other.dcm")])
    return completion


def test_it_knows_every_instance_as_before(stored: Completion, ct_paths: list[Path]) -> None:
    before = rows(stored.ledger)
    lose(stored)
    done, ledger = rebuilt(stored)
    assert done == Rebuilt(series=1, instances=11, jobs=0)
    assert rows(ledger) == before
    history = history_of(ledger, series_uid(ct_paths))
    assert history is not None
    assert history.state == "kept"
    assert "made again from files" in history.reason
    ledger.close()


def test_acknowledged_instances_that_are_in_a_log_only_get_their_files(
    start: Start, ct_paths: list[Path], tmp_path: Path
) -> None:
    completion = start(database_url=database_url_for(tmp_path / "storage"))
    log = completion.instance_store.wal_writer.open()
    completion.receive(completion.open(), ct_paths, log)
    before = rows(completion.ledger)
    assert list(completion.configuration.storage_path.rglob("*.dcm")) == []
    lose(completion)
    done, ledger = rebuilt(completion)
    assert done.instances == 10
    assert rows(ledger) == before
    assert len(list(completion.configuration.storage_path.rglob("*.dcm"))) == 10
    ledger.close()


def test_committed_results_are_known_again_as_done(
    stored: Completion, ct_paths: list[Path]
) -> None:
    uid, job_id = series_uid(ct_paths), "a" * 64
    folder = StorageLayout(stored.configuration.storage_path).results_of(job_id)
    folder.mkdir(parents=True)
    output = OutputInstance("dicom/1.dcm", "1.2.840.10008.5.1.4.1.1.481.3", "1.9", "1.8", "0" * 64)
    result = JobResult((output,), has_structure_set=True, summary="contours")
    report = {
        "job_id": job_id,
        "pipeline": "unet",
        "kind": "unet",
        "parameters": {},
        "created": "2026-01-01T00:00:00+00:00",
        "series_instance_uid": uid,
        "released": {},
        "content_choice": "",
        "result": asdict(result),
    }
    (folder / "report.json").write_text(json.dumps(report))
    lose(stored)
    done, ledger = rebuilt(stored)
    assert done.jobs == 1
    receipt = receipt_of(ledger, uid)
    assert receipt is not None
    assert receipt.lines()[-1] == "sent: not known, as the ledger was made again from files"
    history = history_of(ledger, uid)
    assert history is not None
    assert [str(path).endswith(job_id) for path in history.result_folders] == [True]
    ledger.close()


def test_retention_leaves_what_somebody_may_rely_on(stored: Completion) -> None:
    lose(stored)
    _, ledger = rebuilt(stored)
    retention = {"results_days": 1, "sources_days": 1}
    keys = {"retention": retention, "storage_path": stored.configuration.storage_path}
    stored.clock.now = time.time() + 100 * 24 * 3600.0  # rows have the times of files
    configuration = read_configuration(None, keys)
    [found] = Retention(configuration, ledger, stored.clock).preview()
    assert "made again from files" in found.why_it_stays
    ledger.close()


def test_what_is_judged_for_nobody_keeps_its_reason(
    stored: Completion, ct_paths: list[Path]
) -> None:
    uid = series_uid(ct_paths)
    lose(stored)
    _, ledger = rebuilt(stored)
    with ledger.writing() as connection:
        Decisions(stored.configuration, ledger).record(connection, uid, Judged("", (), ()))
    history = history_of(ledger, uid)
    assert history is not None
    assert (history.state, history.reason) == ("kept", UNKNOWN_SENDER)
    assert history.sender == "a sender that is not known"
    ledger.close()


@pytest.mark.skipif(not is_sqlite(), reason="the file of the ledger is gone")
def test_a_lost_ledger_is_told_by_the_check_and_the_start(stored: Completion) -> None:
    lose(stored)
    found = {name: wrong for name, _, wrong in node_findings(stored.configuration, try_port=False)}
    assert found["ledger"].endswith("slicewire ledger rebuild")
    new = open_test_ledger(stored.configuration.storage_path, stored.clock)
    assert is_lost(new)
    new.close()
    found = {name: wrong for name, _, wrong in node_findings(stored.configuration, try_port=False)}
    assert found["ledger"].startswith("the ledger is new, and instances lie in storage")
    _, ledger = rebuilt(stored)
    assert not is_lost(ledger)
    ledger.close()


def test_a_start_does_not_count_the_instances_of_its_ledger(stored: Completion) -> None:
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(str(arguments[2]).lower())

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        assert not is_lost(stored.ledger)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)
    looks = [one for one in statements if "instances" in one]
    assert looks
    assert not [one for one in looks if "count(" in one]


def test_what_is_no_instance_is_left_out(stored: Completion) -> None:
    [folder] = stored.configuration.storage_path.glob("instances/*/*")
    (folder / "1.2.3.dcm").write_bytes(b"nothing")
    elsewhere = folder.with_name("1.2.3.4")
    elsewhere.mkdir()
    content = next(folder.glob("1.3*.dcm")).read_bytes()
    (elsewhere / "1.dcm").write_bytes(content)
    lose(stored)
    done, ledger = rebuilt(stored)
    assert done == Rebuilt(series=1, instances=11, jobs=0)
    ledger.close()


def test_a_ledger_that_is_there_is_never_touched(stored: Completion) -> None:
    before = rows(stored.ledger)
    with pytest.raises(ConfigurationError, match="knows 11 instances and is not lost"):
        rebuild(stored.configuration)
    assert rows(stored.ledger) == before


def test_a_node_that_runs_keeps_its_folder(stored: Completion) -> None:
    lock = StorageLock(stored.configuration.storage_path)
    with pytest.raises(ConfigurationError, match="already uses"):
        rebuild(stored.configuration)
    lock.release()


@pytest.mark.skipif(not is_sqlite(), reason="names the database on the command line")
def test_the_command_says_what_it_made(
    stored: Completion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lose(stored)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"storage_path": str(stored.configuration.storage_path)}))
    assert main(["--config", str(config), "rebuild"]) == 0
    assert capsys.readouterr() == (
        "The ledger knows 11 instances of 1 series again, and the results of 0 jobs. Nothing runs "
        "or is sent by itself\n",
        "",
    )
    assert main(["--config", str(config), "rebuild"]) == 2
    assert "is not lost: nothing was changed" in capsys.readouterr().err
