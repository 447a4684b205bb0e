"""`python -m node.ledger` tells what became of a series, and passes on what a person asks."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.commands import carry_out
from node.ledger.__main__ import main
from node.ledger.row_states import SeriesState
from node.ledger.tables.conditions import set_condition
from node.ledger.tables.instances import ABORTED
from node.ledger.tables.series import set_state
from tests.completion.steps import finish, told
from tests.support.completion import Completion, series_uid
from tests.support.databases import database_url_for

VERBS = (
    *("list", "show", "status", "receipt", "run", "release", "retry", "resend", "cancel"),
    "retention",
)


@contextmanager
def running_node(completion: Completion) -> Iterator[None]:
    """A node that carries out commands and judges series meanwhile."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            carry_out(completion.ledger)
            completion.series_completion.examine_due()

    node = threading.Thread(target=work, daemon=True)
    node.start()
    yield
    stop.set()
    node.join()


def test_list_shows_every_series_whole_with_its_state_and_reason(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths, outcome=ABORTED)
    completion.settle()
    [_, row] = told(capsys, completion, "list").splitlines()
    assert series_uid(ct_paths) in row
    assert "TPS@127.0.0.1 to SLICEWIRE" in row
    assert "held" in row
    assert "received only over an aborted association" in row


def test_list_is_one_table_whose_columns_are_all_there_however_long_a_reason_is(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths, calling="A", address="2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff")
    completion.settle()
    uid, reason = series_uid(ct_paths), "word " * 200 + "end"
    with completion.ledger.writing() as connection:
        set_state(connection, uid, SeriesState.HELD, f"Series {uid}: {reason}")
    head, row = told(capsys, completion, "list").splitlines()
    for name in ("last instance", "series", "from", "instances", "state", "why"):
        assert name in head
    assert row[head.index("series") :].startswith(f"{uid} ")
    assert row[head.index("from") :].startswith("A@2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff to ")
    assert row[head.index("state") :].startswith("held ")
    assert row[head.index("why") :] == reason
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d ", row[head.index("last") :])


def test_whose_ledger_it_is_may_be_said_before_the_verb_and_after_it(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths)
    keys = [f"storage_path: {completion.configuration.storage_path}"]
    if url := database_url_for(completion.configuration.storage_path):
        keys.append(f"database_url: {url}")
    config = completion.configuration.storage_path.parent / "clinic.yaml"
    config.write_text("\n".join(keys))
    for words in (["--config", str(config), "list"], ["list", "--config", str(config)]):
        capsys.readouterr()
        assert main(words) == 0
        assert series_uid(ct_paths) in capsys.readouterr().out


def test_show_tells_everything_that_happened_by_the_end_of_a_uid(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    text = told(capsys, completion, "show", series_uid(ct_paths)[-8:])
    assert text.startswith(f"Series {series_uid(ct_paths)}: queued")
    assert "association: released" in text
    assert "processing: 10 instances, job" in text
    assert "no destination: the sender is not a configured peer" in text


def test_release_is_carried_out_by_the_running_node(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths, outcome=ABORTED)
    completion.settle()
    with running_node(completion):
        text = told(capsys, completion, "release", series_uid(ct_paths))
    expected = (
        f"Series {series_uid(ct_paths)}: released by a person; released with a part cut off; "
    )
    assert text.splitlines()[-1].startswith(expected)
    assert len(completion.jobs(ct_paths)) == 1


def test_a_series_that_is_not_there_is_said_with_exit_code_1(
    completion: Completion, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(capsys, completion, "show", "1.2.3", code=1)
    assert text == "Series 1.2.3: not in this ledger\n"


def test_status_tells_what_waits_and_what_is_wrong(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    with completion.ledger.writing() as connection:
        set_condition(connection, "engine", "No Dask scheduler answers", completion.clock.now)
    lines = told(capsys, completion, "status").splitlines()
    assert "node: does not run" in lines
    assert "cases: 1 queued" in lines
    assert "jobs: 1 queued" in lines
    assert any(line.endswith("engine: No Dask scheduler answers") for line in lines)
    assert any(line.startswith("oldest queued job: waits for ") for line in lines)


def test_a_receipt_tells_what_came_and_what_was_made(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    uid = series_uid(ct_paths)
    assert told(capsys, completion, "receipt", uid, code=1).endswith("no results yet, queued\n")
    finish(completion, completion.jobs(ct_paths)[0])
    lines = told(capsys, completion, "receipt", uid).splitlines()
    assert "received: 10 instances from TPS@127.0.0.1 to SLICEWIRE" in lines
    assert "sent: nowhere, no destination" in lines
    receipt = json.loads(told(capsys, completion, "receipt", "--json", uid))
    assert (receipt["received"], receipt["revision"], len(receipt["results"])) == (10, 1, 1)


@pytest.mark.parametrize("words", [["list"], ["shwo", "1.2"], ["show"]])
def test_a_wrong_command_line_is_one_sentence_with_exit_code_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--storage_path", str(tmp_path), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_and_documentation_tell_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    text = capsys.readouterr().out
    for verb in VERBS:
        assert verb in text
        assert f"python -m slicewire ledger {verb}" in page


@pytest.mark.parametrize("verb", ["show", "receipt", "run", "cancel"])
def test_a_case_number_names_a_case_wherever_a_uid_does(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    completion.send(ct_paths)
    completion.settle()
    finish(completion, completion.jobs(ct_paths)[0])
    [_, row] = told(capsys, completion, "list").splitlines()
    number = row.split()[0]
    with running_node(completion):
        more = ["blur"] if verb == "run" else []
        code = int(verb == "cancel")  # everything is done: refused, and the series is named
        text = told(capsys, completion, verb, number, *more, code=code)
    assert f"Series {series_uid(ct_paths)}" in text


def test_a_number_is_a_case_first_and_the_end_of_a_uid_else(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths)
    text = told(capsys, completion, "show", "1")
    assert "Case 1: 10 instances from TPS@127.0.0.1" in text
    assert told(capsys, completion, "show", "2", code=1).endswith("not in this ledger\n")
    assert series_uid(ct_paths) in told(capsys, completion, "show", series_uid(ct_paths)[-3:])


def test_run_runs_a_pipeline_on_a_case_and_refuses_with_exit_code_1(
    completion: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    with running_node(completion):
        text = told(capsys, completion, "run", "1", "3dblur", "--to", "nobody")
        assert "blur, run by a person at the command line: 10 instances, job" in text
        text = told(capsys, completion, "run", "1", "sharpen", code=1)
        assert "pipeline: expected one of blur, unet" in text
        text = told(capsys, completion, "run", "1", "blur", "--to", "mars", code=1)
        assert "destinations: expected sender, nobody or names of peers" in text
    assert [job.request.pipeline for job in completion.jobs(ct_paths)] == ["unet", "blur"]
