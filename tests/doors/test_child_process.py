"""Processes that the node starts import its rooms, and nothing that lies in the working folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.child_process import module_command, module_environment


def run_in(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        module_command(module),
        cwd=folder,
        env=module_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_rooms_are_found_from_any_working_folder(tmp_path: Path) -> None:
    done = run_in(tmp_path, "slicewire")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: slicewire VERB" in done.stdout


def test_what_lies_in_the_working_folder_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('not ours')")
    assert run_in(tmp_path, "slicewire").returncode == 0


def test_folders_that_a_program_put_on_its_path_are_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "late.py").write_text("print('found')")
    monkeypatch.syspath_prepend(tmp_path)
    assert run_in(Path("/"), "late").stdout == "found\n"


def test_an_empty_entry_of_the_path_is_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert module_environment()["PYTHONPATH"].startswith(f"{tmp_path}:")
