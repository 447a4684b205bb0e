"""Copies for peers that do not take a file's syntax are made by processes that end with ours."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless

from core.errors import NotADataSetError, PixelError
from network.scu.transcoder import Transcoder
from tests.support.node_process import ROOT, wait_until

EXPLICIT = str(ExplicitVRLittleEndian)
BEYOND_SELECT = 1024  # FD_SETSIZE of Linux


@pytest.fixture
def source(ct_folder: Path) -> Path:
    """One slice, in implicit VR."""
    return sorted(ct_folder.glob("*.dcm"))[20]


@pytest.fixture
def transcoder(tmp_path: Path) -> Iterator[Transcoder]:
    (tmp_path / "copies").mkdir()
    one = Transcoder(tmp_path / "copies", limit_s=60.0)
    yield one
    one.close()
    assert list((tmp_path / "copies").iterdir()) == []


def workers(of: int | None = None) -> list[psutil.Process]:
    children = psutil.Process(of).children()
    alive = [one for one in children if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "imaging.pixels.transcoding" in one.cmdline()]


def test_a_copy_is_there_until_it_is_sent(
    transcoder: Transcoder, source: Path, tmp_path: Path
) -> None:
    with transcoder.copy(source, EXPLICIT) as copy:
        assert copy.is_relative_to(tmp_path / "copies")
        assert pydicom.dcmread(copy).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert pydicom.dcmread(copy).PixelData == pydicom.dcmread(source).PixelData
    assert not copy.exists()


def test_one_process_makes_one_copy_after_the_other(transcoder: Transcoder, source: Path) -> None:
    used = set()
    for syntax in (EXPLICIT, str(ImplicitVRLittleEndian), EXPLICIT):
        with transcoder.copy(source, syntax) as copy:
            assert pydicom.dcmread(copy).file_meta.TransferSyntaxUID == syntax
        used |= {one.pid for one in workers()}
    assert len(used) == 1
    assert os.getpid() not in used


def test_failures_come_back_in_words(transcoder: Transcoder, source: Path, tmp_path: Path) -> None:
    data_set = pydicom.dcmread(source)
    data_set.PixelData = pydicom.encaps.encapsulate([b"not a code stream "])
    data_set.file_meta.TransferSyntaxUID = JPEGLSLossless
    pydicom.dcmwrite(tmp_path / "broken.dcm", data_set)
    with pytest.raises(PixelError, match=r"pixels cannot be decoded"):
        transcoder.copy(tmp_path / "broken.dcm", EXPLICIT).__enter__()
    (tmp_path / "text.dcm").write_text("no instance")
    with pytest.raises(NotADataSetError, match=r"text\.dcm"):
        transcoder.copy(tmp_path / "text.dcm", EXPLICIT).__enter__()
    with pytest.raises(OSError, match=r"gone\.dcm"):
        transcoder.copy(tmp_path / "gone.dcm", EXPLICIT).__enter__()
    with transcoder.copy(source, EXPLICIT) as copy:
        assert copy.exists()


def test_a_process_that_dies_fails_one_instance(
    transcoder: Transcoder, source: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "never.dcm")  # whoever opens it waits
    killer = threading.Thread(target=kill_first_worker)
    killer.start()
    with pytest.raises(PixelError, match=r"never\.dcm: the process that decodes it ended"):
        transcoder.copy(tmp_path / "never.dcm", EXPLICIT).__enter__()
    killer.join()
    with transcoder.copy(source, EXPLICIT) as copy:
        assert copy.exists()


def kill_first_worker() -> None:
    wait_until(lambda: bool(workers()))
    workers()[0].kill()


def test_a_copy_is_made_when_more_than_a_thousand_files_are_open(
    transcoder: Transcoder, source: Path
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, limits[1]), limits[1]))
    opened = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while opened[-1] < BEYOND_SELECT:
            opened.append(os.dup(opened[0]))
        with transcoder.copy(source, EXPLICIT) as copy:
            assert copy.exists()
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_time_limit_ends_the_process(source: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.dcm")
    transcoder = Transcoder(tmp_path, limit_s=0.5)
    with pytest.raises(PixelError, match=r"took longer than 0\.5 s"):
        transcoder.copy(tmp_path / "never.dcm", EXPLICIT).__enter__()
    assert workers() == []
    transcoder.close()


def test_no_more_than_two_work_at_a_time(source: Path, tmp_path: Path) -> None:
    transcoder = Transcoder(tmp_path, limit_s=60.0)
    pipes = [tmp_path / f"{number}.dcm" for number in range(4)]
    for pipe in pipes:
        os.mkfifo(pipe)
    most = 0
    with ThreadPoolExecutor(4) as pool:
        copies = [pool.submit(transcoder.copy(pipe, EXPLICIT).__enter__) for pipe in pipes]
        wait_until(lambda: len(workers()) == 2)
        while not all(copy.done() for copy in copies):
            most = max(most, len(workers()))
            for pipe in pipes:
                end_what_reads(pipe)
    assert all("took longer" not in str(copy.exception()) for copy in copies)
    assert all(isinstance(copy.exception(), PixelError | NotADataSetError) for copy in copies)
    assert most == 2
    transcoder.close()
    assert workers() == []


def end_what_reads(pipe: Path) -> None:
    """Let who reads `pipe` find its end; nothing where nobody does."""
    with suppress(OSError):
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    time.sleep(0.01)


def test_nothing_is_left_after_ours_is_killed(source: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from network.scu.transcoder import Transcoder\n"
        "transcoder = Transcoder(Path(sys.argv[1]))\n"
        f"with transcoder.copy(Path(sys.argv[2]), {EXPLICIT!r}) as copy:\n"
        "    print(copy, flush=True)\n    time.sleep(60)\n"
    )
    ours = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), str(source)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert ours.stdout is not None
    copy = Path(ours.stdout.readline().strip())
    assert copy.exists()
    theirs = workers(ours.pid)
    ours.send_signal(signal.SIGKILL)
    ours.wait(60)
    ours.stdout.close()
    assert len(theirs) == 1
    wait_until(lambda: not theirs[0].is_running())
    assert list(tmp_path.iterdir()) == []
