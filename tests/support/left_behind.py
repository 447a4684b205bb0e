"""Threads and open files of this process that were not there before, each by itself.

Their number would say nothing: what other tests of the process left begins and ends meanwhile.
"""

import gc
import threading
from contextlib import suppress
from pathlib import Path

_OF_LIBRARIES = ("Dask", "IO loop", "Profile", "Nanny", "AsyncProcess", "ThreadPoolExecutor")
"""How threads are named that libraries keep for later."""


class Before:
    """What there is now, so that a test can say what came afterwards and stays."""

    def __init__(self) -> None:
        gc.collect()
        self._threads, self._files = set(threading.enumerate()), _open_files()

    def threads(self) -> list[str]:
        """Names of the threads that began since, and go on."""
        began = [one.name for one in threading.enumerate() if one not in self._threads]
        return [name for name in began if not name.startswith(_OF_LIBRARIES)]

    def files(self) -> set[str]:
        """Files, pipes and sockets that were opened since, and are open."""
        return _open_files() - self._files


def _open_files() -> set[str]:
    """As the kernel names them: a path, or the kind and a number that is given once."""
    found = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of this very listing
            found.add(str(one.readlink()))
    return {name for name in found if not name.startswith("/proc/")}
