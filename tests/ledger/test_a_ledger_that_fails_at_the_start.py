"""A ledger that fails while the node starts: one sentence, and an exit code that is repeated."""

import sys
from pathlib import Path

import pytest

import scp_server
from core.errors import StorageUnavailableError
from core.signals import Signals
from node.supervisor import Node
from tests.support.node_process import ROOT


def test_it_is_one_sentence_and_the_exit_code_of_a_start_that_may_work_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StorageUnavailableError("The ledger failed: disk I/O error")

    for name in ("__init__", "catch_stops"):
        monkeypatch.setattr(Signals, name, lambda _: None)
    monkeypatch.setattr(Signals, "wants_stop", lambda *_: False)
    monkeypatch.setattr(Node, "start", fails)
    monkeypatch.setattr(scp_server, "configure_logging", lambda *_, **__: None)
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    assert scp_server.main(["--storage_path", str(tmp_path / "storage"), "--web_port", "0"]) == 75
    assert capsys.readouterr().err == "The ledger failed: disk I/O error\n"


def test_systemd_repeats_such_a_start_without_end_but_no_wrong_configuration() -> None:
    unit = (ROOT / "packaging" / "slicewire.service").read_text()
    for line in ("Restart=on-failure", "RestartPreventExitStatus=2", "StartLimitIntervalSec=0"):
        assert f"\n{line}\n" in unit
