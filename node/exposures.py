"""Ways in which other users of this machine can reach instances or workers of the node."""

from collections.abc import Iterator
from pathlib import Path

from core.config.sections import Engine
from core.config.settings import Configuration

_READ_OR_ENTER = 0o055
_ENTER = 0o011


def exposures(configuration: Configuration) -> Iterator[str]:
    """Yield a sentence for each way in, with what closes it."""
    yield from filter(None, (open_storage(configuration.storage_path), open_engine(configuration)))


def open_storage(path: Path) -> str:
    """Say that other users may look into an existing storage folder; empty if they may not.

    Files of earlier versions were readable by everybody; those that the node makes now are not.
    """
    folder = path.absolute()
    try:
        is_open = bool(folder.stat().st_mode & _READ_OR_ENTER) and all(
            parent.stat().st_mode & _ENTER for parent in folder.parents
        )
    except OSError:
        return ""
    if not is_open:
        return ""
    return f"other users of this machine may look into {path}: chmod -R go= {path} shuts it"


def open_engine(configuration: Configuration) -> str:
    """Say that other users can run code on the workers of a scheduler without TLS; else empty."""
    engine: Engine = configuration.engine
    if engine.scheduler is None or engine.tls is not None:
        return ""
    return (
        f"every user of this machine can run code through {engine.scheduler}: start the scheduler "
        "and its workers with TLS, and set engine.scheduler to tls:// with engine.tls"
    )
