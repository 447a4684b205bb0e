"""A virtual environment for each peer, made on demand: they exclude one another's versions."""

import hashlib
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
_CACHE = Path(__file__).parents[2] / ".peers"
_LONGEST_S = 900


class UnavailableError(Exception):
    """A peer cannot be installed here; says why."""


def python_of(peer: str) -> Path:
    """The interpreter that `peer`'s script runs in.

    The environment holds exactly what `peers/PEER.txt` pins and is kept in `.peers` as long as that
    file stays the same. A peer without such a file is a program of its own: this interpreter.

    Raises:
        UnavailableError: it could not be made, such as without a network.
    """
    pins = PEERS / f"{peer}.txt"
    if not pins.exists():
        return Path(sys.executable)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    content = hashlib.sha256(pins.read_bytes() + version.encode()).hexdigest()[:10]
    folder = _CACHE / f"{peer}-{content}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(*pip, "--no-deps", "-r", str(pins))
        (folder / "ready").touch()
    return python


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_S)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise UnavailableError(" ".join(last)) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from error
