"""Model cards of the configured pipelines, read once for each file."""

import threading
from pathlib import Path
from typing import Any

from core.config.pipelines import PipelineSettings
from core.errors import ModelError
from pipeline.model_cards import model_card

Key = tuple[str, str, int, int]


class ModelCards:
    """Cache of model cards by kind, file, time and size; each is read in a process of its own."""

    def __init__(self) -> None:
        self._cards: dict[Key, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def card_of(self, pipeline: PipelineSettings) -> tuple[dict[str, Any] | None, str]:
        """The card of a pipeline's model, or None and the reason why it cannot be read.

        Without a model, None and an empty reason. The first call takes seconds.
        """
        if pipeline.model_path is None:
            return None, ""
        try:
            return self._card(pipeline.kind, pipeline.model_path), ""
        except ModelError as error:
            return None, str(error)

    def _card(self, kind: str, path: Path) -> dict[str, Any]:
        try:
            status = path.stat()
        except OSError as error:
            raise ModelError(f"Checkpoint {path} cannot be read ({error.strerror})") from error
        key = (kind, str(path), status.st_mtime_ns, status.st_size)
        with self._lock:
            if key not in self._cards:
                self._cards[key] = model_card(kind, path)
            return self._cards[key]
