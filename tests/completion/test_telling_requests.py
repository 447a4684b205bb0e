"""Command and receipt tell the requests of a case one below the other."""

import json
from pathlib import Path

import pytest

from tests.completion.steps import finish, told
from tests.support.completion import HARD, PACS, SOFT, TPS, Completion, Start, series_uid

SOFT_ASKED = "TPS@127.0.0.1 to SOFT"
HARD_ASKED = "PACS@127.0.0.1 to HARD"


@pytest.fixture
def both(start: Start, ct_paths: list[Path]) -> Completion:
    """The TPS called SOFT and the PACS called HARD with the same series."""
    completion = start(pipeline=None, peers=[TPS, PACS], rules=[SOFT, HARD])
    completion.send(ct_paths, calling="TPS", called="SOFT")
    completion.send(ct_paths, calling="PACS", called="HARD")
    completion.settle()
    return completion


def test_list_names_every_sender(
    both: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    [_, row] = told(capsys, both, "list").splitlines()
    assert f"{SOFT_ASKED}, {HARD_ASKED}" in row


def test_show_tells_who_asked_by_which_rule_and_where_that_stands(
    both: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, both, "show", series_uid(ct_paths)).splitlines()
    soft, hard = (n for n, line in enumerate(lines) if line.startswith("Request "))
    assert lines[soft].startswith(f"Request 1: {SOFT_ASKED}, ")
    assert lines[soft].endswith(", the last association was released")
    assert lines[soft + 1] == "  queued: 0% done"
    assert lines[soft + 2].startswith("  blur by rules.0, job ")
    assert lines[soft + 2].endswith(" for tps, queued: 0% done")
    assert lines[hard].startswith(f"Request 2: {HARD_ASKED}, ")
    assert lines[hard + 2].startswith("  unet by rules.1, job ")


def test_a_receipt_tells_each_pipelines_job_with_its_own_sender(
    both: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for job in both.jobs(ct_paths):
        finish(both, job)
    text = told(capsys, both, "receipt", series_uid(ct_paths))
    assert f"received: 10 instances from {SOFT_ASKED}\n" in text
    assert f"received: 10 instances from {HARD_ASKED}\n" in text
    receipt = json.loads(told(capsys, both, "receipt", "--json", series_uid(ct_paths)))
    [other] = receipt["others"]
    made = {one["pipeline"]: one["sender"] for one in (receipt, other)}
    assert made == {"blur": SOFT_ASKED, "unet": HARD_ASKED}
    assert [one["called_ae_title"] for one in receipt["requests"]] == ["SOFT", "HARD"]
    assert [one["jobs"][0]["destinations"] for one in receipt["requests"]] == [["tps"], ["pacs"]]


def test_a_receipt_keeps_its_sender_when_another_one_sends_the_series_later(
    both: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for job in both.jobs(ct_paths):
        finish(both, job)
    before = json.loads(told(capsys, both, "receipt", "--json", series_uid(ct_paths)))
    both.send(ct_paths, calling="TPS", called="NOBODY")
    both.settle()
    after = json.loads(told(capsys, both, "receipt", "--json", series_uid(ct_paths)))
    assert after["sender"] == before["sender"]
    assert after["requests"][:2] == before["requests"]
    assert after["requests"][2]["state"] == "kept"
