"""What a program writes may show a patient: nobody but its user may read it."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from types import FunctionType

import pytest

import demo
from node.exposures import open_storage
from slicewire.program import VERBS, main


@pytest.fixture
def open_umask() -> Iterator[None]:
    """As on most machines: everybody may read new files."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def new_file(folder: Path) -> int:
    """The permissions of one."""
    path = folder / "new"
    path.touch()
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("verb", VERBS)
def test_files_of_a_verb_are_its_users_alone(verb: str, tmp_path: Path) -> None:
    try:
        with pytest.raises(SystemExit, match="0"):
            main([verb, "--help"])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert new_file(tmp_path) == 0o600


def test_every_door_keeps_its_files_private() -> None:
    """Those that have no verb, too."""
    mains = {resolve_name(verb.entry) for verb in VERBS.values()} | {demo.main}
    doors = [one for one in mains if isinstance(one, FunctionType)]
    assert len(doors) == len(mains)
    assert [one for one in doors if "keep_files_private" not in one.__code__.co_names] == []


@pytest.mark.usefixtures("open_umask")
def test_a_stricter_umask_stays(tmp_path: Path) -> None:
    os.umask(0o277)
    with pytest.raises(SystemExit):
        main(["init", "--help"])
    assert new_file(tmp_path) == 0o400


def test_a_storage_folder_that_others_may_read_is_told_with_the_way_out() -> None:
    with TemporaryDirectory(dir="/tmp") as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent, "storage")
        assert open_storage(folder) == ""  # there is none yet
        folder.mkdir(mode=0o700)
        assert open_storage(folder) == ""
        folder.chmod(0o750)
        assert f"chmod -R go= {folder} shuts it" in open_storage(folder)
        Path(parent).chmod(0o700)
        assert open_storage(folder) == ""  # nobody gets there
