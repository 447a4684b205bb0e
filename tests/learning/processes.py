"""Tasks that end their process, sleep or fail; importable by other processes."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.preparation.inputs.cases import Case
from tests.learning.blobs import SERIES, drawn


@dataclass(frozen=True)
class SyntheticTask:
    """A patient of four images who behaves as told."""

    patient: str
    behaviour: str = ""
    seed: int = 0
    source: str = "arrays"
    images: int = 4
    files: tuple[Path, ...] = ()

    @property
    def options(self) -> str:
        """What decides the content."""
        return str(self.seed)

    def cases(self) -> Iterator[Case]:
        """Four images, with what was told in between."""
        for number in range(4):
            if number == 2 and self.behaviour == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if number == 2 and self.behaviour == "fail":
                raise ZeroDivisionError("Doe^John")
            if number == 2 and self.behaviour == "full":
                raise OSError(28, "No space left on device")
            if self.behaviour == "sleep":
                time.sleep(5)
            one = drawn(number, seed=self.seed)
            yield Case(f"{self.patient}/{number}", one, SERIES, contours=1, matched=1)
