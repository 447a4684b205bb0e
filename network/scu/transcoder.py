"""Transcode instances and compare their pixels in processes of their own.

Decoding takes seconds of a core and much memory, and decoders in C may crash: the process that
serves associations does none of it.
"""

import json
import select
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any, cast

from core.child_process import module_command, module_environment
from core.errors import NotADataSetError, PixelError
from core.signals import signals_stay_here

_MODULE = "imaging.pixels.transcoding"
_LIMIT_S = 600.0
_MOST_AT_ONCE = 2
_END_S = 5.0
_FAILURES: dict[str, type[Exception]] = {
    "PixelError": PixelError,
    "NotADataSetError": NotADataSetError,
    "OSError": OSError,
}


class Transcoder:
    """Starts at most two decoding processes as needed; safe to call from any thread."""

    def __init__(self, folder: Path | None = None, *, limit_s: float = _LIMIT_S) -> None:
        """Copies are made below `folder` (None: the system's folder for temporary files).

        A process that takes longer than `limit_s` seconds for a request is ended.
        """
        self._folder, self._limit_s = folder, limit_s
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []

    @contextmanager
    def copy(self, source: Path, transfer_syntax_uid: str) -> Iterator[Path]:
        """Make a temporary copy of `source` in one of `imaging.pixels.transcode.UNCOMPRESSED`.

        Raises:
            PixelError: compressed pixels cannot be decoded, or not within memory and time.
            NotADataSetError: `source` cannot be read.
            OSError: the copy cannot be written.
        """
        with self._places:
            copy = self._made(source, transfer_syntax_uid)
        try:
            yield copy
        finally:
            with suppress(OSError):
                copy.unlink()

    def close(self) -> None:
        """End the idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def same_pixels(self, one: Path, other: Path) -> bool:
        """True if the pixels of two instances decode to the same values.

        Raises:
            PixelError: the pixels cannot be decoded, or not within memory and time.
        """
        with self._places:
            return bool(self._answer(["compare", str(one.resolve()), str(other.resolve())])["same"])

    def _made(self, source: Path, transfer_syntax_uid: str) -> Path:
        answer = self._answer(["copy", str(source.resolve()), transfer_syntax_uid])
        return Path(str(answer["copy"]))

    def _answer(self, question: list[str]) -> dict[str, str | bool]:
        worker = self._take()
        answer = worker.ask(question, self._limit_s)
        if answer is None:
            worker.end()
            raise PixelError(
                f"{Path(question[1]).name}: the process that decodes it ended, or took longer than "
                f"{self._limit_s:g} s"
            )
        with self._lock:
            self._idle.append(worker)
        if "error" in answer:
            raise _FAILURES.get(str(answer["error"]), PixelError)(answer["words"])
        return answer

    def _take(self) -> "_Worker":
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                worker.end()
        return _Worker(self._folder)


class _Worker:
    """A process that decodes, and the folder of its copies."""

    def __init__(self, parent_folder: Path | None) -> None:
        self._folder = Path(mkdtemp(prefix="slicewire-", dir=parent_folder)).resolve()
        with signals_stay_here():
            self._process = subprocess.Popen(  # noqa: S603, our own program
                module_command(_MODULE, str(self._folder), warnings=False),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=module_environment(),
            )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: list[str], limit_s: float) -> dict[str, str | bool] | None:
        """Send a request and read its answer; None if the process ended or was too slow."""
        requests = cast(IO[str], self._process.stdin)
        answers = cast(IO[str], self._process.stdout)
        try:
            requests.write(json.dumps(question) + "\n")
            requests.flush()
            if not _has_come(answers, limit_s):
                self._process.kill()
                return None
            answer: Any = json.loads(answers.readline())
        except (OSError, ValueError):  # it ended, at once or within its answer
            return None
        return cast(dict[str, str | bool], answer)

    def end(self) -> None:
        """Close its standard input, which ends it; kill it if that fails."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _has_come(answers: IO[str], within_s: float) -> bool:
    """True if there is an answer or an end; poll, as select refuses descriptors above 1023."""
    poll = select.poll()
    poll.register(answers, select.POLLIN)
    return bool(poll.poll(within_s * 1000.0))
