"""The simulator's door: its table, its last line, its files and its exit code."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from imaging.instances.header import Header
from tests.support.left_behind import Before
from tests.support.node_process import wait_until
from tests.support.ports import free_port
from tps_simulator import main


def test_a_pass_leaves_table_report_picture_and_files(
    start_node: Any,
    draw_endocardium: Any,
    write_structure_set: Any,
    cine_folder: Path,
    contour_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def make(headers: Sequence[Header], out: Path) -> list[Path]:
        return [write_structure_set(headers, draw_endocardium(headers), out)]

    node, output, port = start_node(make), tmp_path / "output", free_port()
    node.answer_at(port)
    flags = ["--scp-port", str(node.address.port), "--scp-ae", "LITTLENODE"]
    flags += ["--listen-port", str(port), "--truth", str(contour_folder), "--settle", "0.2"]
    code = main([*flags, "--map", "i=LV_Endocardium", "--output", str(output), str(cine_folder)])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert printed.splitlines()[-1].startswith("PASS: 22 instances sent; 1 structure set came back")
    assert "Dice 1.000, 95 % Hausdorff 0.00 mm" in printed
    report = json.loads((output / "report.json").read_text())
    assert report["verdict"] == "PASS"
    assert report["structures"][0]["dice"] == 1.0
    assert (output / "contours.png").stat().st_size > 10_000
    assert str(output / "contours.png") in printed
    assert len(list((output / "received").rglob("*.dcm"))) == 1


def test_nothing_back_is_exit_code_3(
    start_node: Any, cine_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = start_node(lambda headers, out: [])
    flags = ["--scp_port", str(node.address.port), "--listen_port", "0", "--timeout", "0.5"]
    code = main([*flags, "--output", str(tmp_path / "output"), "--in-dir", str(cine_folder)])
    assert code == 3
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "FAIL: nothing came back within 0.5 s"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([".", "--in_dir", "."], "FOLDER: expected one folder"),
        (["/no/such/folder"], "FOLDER: expected a folder, found none at '/no/such/folder'"),
        (["--scp_port", "0", "."], "--scp_port: expected a whole number from 1"),
        (["--expect", "all", "."], "--expect: invalid choice: 'all'"),
        (["--map", "i=x", "."], "--map: expected --truth beside it"),
        (["--truth", ".", "--map", "i", "."], "--map: expected TRUTH=STRUCTURE, found 'i'"),
        (["--min_dice", "2", "."], "--min_dice: expected a number from 0 to 1, found '2'"),
        (["--truth", "/no/such/file", "."], "--truth: expected a file or folder"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(words)
    assert len(printed.err.splitlines()) == 1


def test_a_port_that_is_taken_is_exit_code_2(
    cine_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Before()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = str(listener.getsockname()[1])
        flags = ["--listen_port", taken, "--output", str(tmp_path / "output")]
        assert main([*flags, str(cine_folder)]) == 2
    assert f"--listen_port: cannot listen on 127.0.0.1:{taken}" in capsys.readouterr().err
    wait_until(lambda: before.threads() == [])
