"""One program with a verb for each command, told by itself and by docs/commands.md."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.config.file import read_configuration
from core.identity import VERSION
from slicewire.program import VERBS, main

ROOT = Path(__file__).parents[2]
ASKED = (
    "node", "send", "simulate", "ledger", "users", "prepare", "train", "evaluate", "to-hdf5",
    "to-dicom", "check", "init", "reload",
)  # fmt: skip


def run_elsewhere(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as a process of its own, in `folder`."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_is_a_verb_for_each_command() -> None:
    assert set(VERBS) == set(ASKED)


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_without_a_verb_and_with_help_each_verb_has_one_line(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, verb in VERBS.items():
        assert [line.split(maxsplit=1) for line in lines].count([name, verb.summary]) == 1


def test_the_documentation_tells_every_verb() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    assert [name for name in VERBS if f"`slicewire {name}`" not in page] == []


@pytest.mark.parametrize("verb", ASKED)
def test_help_of_a_verb_names_program_and_verb(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        with pytest.raises(SystemExit, match="0"):
            main([verb, "--help"])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert capsys.readouterr().out.startswith(f"usage: slicewire {verb} ")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("nodes", "expected node, or another of init, "), ("bench", "expected one of init, check, ")],
)
def test_an_unknown_verb_is_one_sentence_that_names_the_verbs(
    word: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{word}: no such verb, {expected}")
    assert all(name in printed.err for name in VERBS)
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_flags_of_a_verb_are_those_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "--scp_prt", "3"]) == 2
    assert "--scp_prt: no such flag, expected --scp_port" in capsys.readouterr().err


def test_check_starts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = tmp_path / "storage"
    assert (
        main(["check", "--storage_path", str(storage), "--scp_port", "0", "--web_port", "0"]) == 0
    )
    assert f"ok     storage: {storage}" in capsys.readouterr().out
    assert not storage.exists()


def test_a_sigterm_ends_a_converter_as_ctrl_c_does() -> None:
    try:
        assert main(["to-hdf5", "-i", "/no/such/folder", "-h", "x.h5"]) == 2
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_the_list_comes_from_any_folder_and_loads_nothing_heavy(tmp_path: Path) -> None:
    done = run_elsewhere(tmp_path, "-m", "slicewire", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Slicewire {VERSION}\n", "")
    code = "import sys, slicewire.program; print({'torch', 'pydicom', 'pydantic'} & {*sys.modules})"
    assert run_elsewhere(tmp_path, "-c", code).stdout == "set()\n"


def test_init_writes_the_shipped_configuration_with_its_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert "Wrote config.yaml" in capsys.readouterr().out
    written = tmp_path / "config.yaml"
    assert written.read_bytes() == (ROOT / "config.yaml").read_bytes()
    assert read_configuration(written, {}).scp_port == 11112


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("scp_port: 104\n")
    assert main(["init", str(path)]) == 2
    assert capsys.readouterr().err == f"{path}: exists already, nothing was written\n"
    assert path.read_text() == "scp_port: 104\n"


def test_init_says_why_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "no" / "config.yaml")]) == 2
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err
