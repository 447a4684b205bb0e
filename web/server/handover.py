"""Settings on the standard input of the web process: at its start, and after every reload."""

import os
import pickle
from typing import IO

from web.settings import WebSettings

_LENGTH_BYTES = 8


def hand_over(settings: WebSettings, to: IO[bytes]) -> None:
    """Write the settings with their length before them.

    Raises:
        OSError: nobody reads any more.
    """
    content = pickle.dumps(settings)
    to.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)
    to.flush()


def take_over(descriptor: int) -> WebSettings | None:
    """Wait for settings from the process that started this one; None if it is gone.

    Nothing is buffered: a buffered reader would hold its lock at the exit.
    """
    length = _read(descriptor, _LENGTH_BYTES)
    content = _read(descriptor, int.from_bytes(length, "big")) if length else b""
    settings: WebSettings | None = pickle.loads(content) if content else None  # noqa: S301, ours
    return settings


def _read(descriptor: int, count: int) -> bytes:
    """Read `count` bytes; none if the other end closes before."""
    content = b""
    while len(content) < count:
        part = os.read(descriptor, count - len(content))
        if not part:
            return b""
        content += part
    return content
