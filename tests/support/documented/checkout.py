"""A copy of the checkout, in which documented commands run as a reader would type them.

Ports are exchanged for free ones, in commands and configuration alike, and words in capitals for
what a reader would have: a folder, a series, the UID of a job.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pydicom

from tests.support.documented.commands import ROOT
from tests.support.node_process import wait_until
from tests.support.ports import answers, free_port

SAMPLE = "samples/sunnybrook/dicoms/SCD0000501"
WORDS = {
    "prepare --input FOLDER": "prepare --input five_patients --modality MR",
    "FOLDER": SAMPLE,
    "DICOM_DIR": SAMPLE,
    "TEMPLATE_DICOM": SAMPLE,
    "IN.h5": "OUT.h5",
    "env/bin/slicewire init": "mkdir own && cd own && PYTHONPATH=.. "
    "../.venv/bin/python -m slicewire init",
    "env/bin/slicewire": ".venv/bin/python -m slicewire",
    "192.0.2.10 --scu_port 104": "127.0.0.1 --scu_port 11112",
    "--inputs 1000000": "--inputs 200",
    "--max_steps 1000": "--max_steps 1",
}
PORTS = ("11112", "11113", "8080", "8786")
STAYS = (" slicewire node", "storescp", "dask scheduler", "dask worker")
ROOMS = ("core", "imaging", "network", "model", "pipeline", "simulator", "node", "web", "slicewire")


class Checkout:
    """Copy of the checkout in `folder`; commands run in it, processes that stay end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {port: str(free_port()) for port in PORTS}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._last = ""
        self._copy()

    def run(self, command: str) -> subprocess.CompletedProcess[str] | None:
        """Run a command to its end; one that stays is started instead, and its port awaited."""
        typed = self._typed(command)
        stays = [word for word in STAYS if word in f" {typed}"]
        if stays:
            self._start(typed, stays[0])
            return None
        done = subprocess.run(
            ["bash", "-c", typed],
            cwd=self._folder,
            env=self._environment(),
            input="\n",
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        self._last = done.stdout
        return done

    def end(self) -> None:
        """End what was started, the latest first."""
        for process in reversed(self._running.values()):
            _end(process)

    def _copy(self) -> None:
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, self._folder / name)
        (self._folder / ".venv").symlink_to(sys.prefix)
        configuration = self._folder / "config.yaml"
        configuration.write_text(self._with_ports(configuration.read_text()))
        sample = sorted((self._folder / SAMPLE).iterdir())
        shutil.copytree(self._folder / SAMPLE, self._folder / "dicom_data")
        for number, path in enumerate(sample[:2], 1):
            shutil.copyfile(path, self._folder / f"{number}.dcm")
        make_patients(self._folder / "five_patients")
        self._series = str(pydicom.dcmread(sample[0], stop_before_pixels=True).SeriesInstanceUID)

    def _with_ports(self, text: str) -> str:
        for port, other in self._ports.items():
            text = text.replace(port, other)
        return text

    def _typed(self, command: str) -> str:
        for word, own in {**WORDS, "SERIES": self._series}.items():
            command = command.replace(word, own)
        if "UID" in command:
            command = command.replace("UID", json.loads(self._last)["uid"])
        if " slicewire simulate" in command:
            command += " --scp_port 11112"
            command += "" if "--listen_port" in command else " --listen_port 11113"
        return self._with_ports(command)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "2"}

    def _start(self, typed: str, kind: str) -> None:
        before = self._running.pop(kind, None)
        if before is not None and kind != "dask worker":
            _end(before)
        command = ["bash", "-c", f"{typed.replace('&& ', '&& exec ')}"]
        process = subprocess.Popen(command, cwd=self._folder, env=self._environment())
        self._running[kind if kind != "dask worker" else typed] = process
        port = {" slicewire node": "11112", "storescp": "11113", "dask scheduler": "8786"}.get(kind)
        if port is not None:
            wait_until(lambda: answers(int(self._ports[port])))
        else:
            time.sleep(5.0)
        assert process.poll() is None, f"{typed} ended with {process.returncode}"


def make_patients(folder: Path, count: int = 5) -> None:
    """Arrays of patients as `slicewire prepare` reads them: two images each, one structure."""
    for number in range(count):
        for name, value in (("img", np.float32), ("mask", np.uint8)):
            part = folder / f"patient{number}" / name
            part.mkdir(parents=True)
            for image in range(2):
                array = np.zeros((1, 64, 64), value)
                array[:, 20:40, 20 + number : 40] = 1
                np.save(part / f"{image}.npy", array)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
