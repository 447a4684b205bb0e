"""Logs: readable on a terminal, JSON on request, and everything in a rotating file.

Messages carry UIDs and reasons, never patient data. Some libraries quote values of data sets in
their messages, so their messages are kept out of the log.
"""

import logging
import logging.handlers
import sys
import warnings
from pathlib import Path
from typing import Any

import structlog

_FILE_BYTES = 10_000_000
_FILE_COUNT = 5
_TALKATIVE = ("pydicom", "pynetdicom", "distributed", "asyncio", "sqlalchemy", "PIL", "matplotlib")


def configure_logging(level: str, *, json_lines: bool, file: Path) -> None:
    """Send logs to standard error at `level`, and to the rotating `file` at debug level."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%f%z", utc=False),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    as_json = structlog.processors.JSONRenderer()
    as_text = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(level.upper())
    console.setFormatter(_formatter(as_json if json_lines else as_text, shared))
    rotating = logging.handlers.RotatingFileHandler(
        file, maxBytes=_FILE_BYTES, backupCount=_FILE_COUNT, encoding="utf-8"
    )
    rotating.setFormatter(_formatter(as_json, shared))
    logging.basicConfig(level=logging.DEBUG, handlers=[console, rotating], force=True)
    quieten_libraries()


class BoundedLog:
    """Log of something that a peer can repeat without end: the first lines, then their number."""

    def __init__(self, log: Any, most: int) -> None:
        """`log` is a structlog logger that gets at most `most` lines, and one at the end."""
        self._log = log
        self._left = most
        self._left_out = 0

    def warning(self, event: str, **values: object) -> None:
        """Log a line while there is room."""
        if self._has_room():
            self._log.warning(event, **values)

    def error(self, event: str, **values: object) -> None:
        """Log a line while there is room."""
        if self._has_room():
            self._log.error(event, **values)

    def finish(self) -> None:
        """Log how many lines were left out, if any."""
        if self._left_out:
            self._log.warning("further lines of this kind left out", lines=self._left_out)
        self._left_out = 0

    def _has_room(self) -> bool:
        self._left -= 1
        self._left_out += self._left < 0
        return self._left >= 0


def quieten_libraries() -> None:
    """Silence libraries whose log messages and warnings quote values of data sets."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom|pynetdicom|distributed")


def _formatter(
    renderer: structlog.typing.Processor, shared: list[structlog.typing.Processor]
) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=shared,
    )
