"""SIGHUP: a reload, or a stop where it says that the terminal was closed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import os, sys
from core.signals import Signals
signals = Signals()
signals.catch_stops()
os.write(int(sys.argv[1]), b"ready\\n")
for _ in range(600):
    if signals.wants_stop(0.05):
        os.write(int(sys.argv[1]), b"stop\\n")
        break
    if signals.wants_reload():
        os.write(int(sys.argv[1]), b"reload\\n")
"""


def start(**streams: Any) -> tuple[subprocess.Popen[bytes], int]:
    """A program with these signals, and where it tells what it does."""
    told, tells = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tells)],
        cwd=ROOT,
        pass_fds=(tells,),
        start_new_session=True,
        **streams,
    )
    os.close(tells)
    assert os.read(told, 64) == b"ready\n"
    return process, told


def test_every_hangup_is_a_reload_and_sigterm_a_stop() -> None:
    process, told = start(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(2):
        process.send_signal(signal.SIGHUP)
        assert os.read(told, 64) == b"reload\n"
    process.terminate()
    assert os.read(told, 64) == b"stop\n"
    assert process.wait(60) == 0
    os.close(told)


def test_the_end_of_its_terminal_is_a_stop() -> None:
    ours, theirs = os.openpty()
    process, told = start(stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    process.send_signal(signal.SIGHUP)
    assert os.read(told, 64) == b"reload\n"
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert os.read(told, 64) == b"stop\n"
    assert process.wait(60) == 0
    os.close(told)
